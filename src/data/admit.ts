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
