import { sql } from 'drizzle-orm';
import type { Admission } from './caller.ts';
import type { Work } from './deps.ts';

/** Decides on the caller, with a Redis trip of its own only where no other trip carries it. False: see `Admission.decide`. */
export async function admit({ ctx, deps }: Work, admission: Admission): Promise<boolean> {
  const now = ctx.now();
  if (!admission.ready(now)) {
    await deps.redis.trip(
      ctx,
      (pipeline) => admission.ask(pipeline, now),
      (answers) => admission.learn(answers, now),
    );
  }
  return admission.decide(ctx);
}

/** Of work that was admitted when it was asked for, or that nobody asked for; a credential is checked by every `begin_write`. */
export const ADMITTED: Admission = {
  ready: () => true,
  ask: () => undefined,
  learn: () => undefined,
  decide: () => true,
  excused: () => false,
  credentialQuery: () => sql`select 1`,
  settleCredential: () => undefined,
};
