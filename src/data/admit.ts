import type { SQL } from 'drizzle-orm';
import type { Admission } from './caller.ts';
import type { Ctx } from './ctx.ts';
import type { Work } from './deps.ts';
import { type ReadCall, type Snapshot, snapshot } from './log.ts';
import type { RowsOf } from './query.ts';

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

/**
 * A read that with `unsure` also settles the caller's life. That comes first, because it may raise: nobody makes the database
 * work for a key that was made up.
 */
export async function settledSnapshot<const Q extends readonly SQL[]>(
  ctx: Ctx,
  call: ReadCall,
  unsure: Pick<Admission, 'credentialQuery' | 'settleCredential'> | null,
  queries: Q,
): Promise<Snapshot<Q>> {
  if (unsure === null) return snapshot(ctx, call, queries);
  const { rows, ...at } = await snapshot(ctx, call, [unsure.credentialQuery(), ...queries] as const);
  const [standing, ...results] = rows;
  unsure.settleCredential(ctx, standing);
  return { ...at, rows: results as RowsOf<Q> };
}
