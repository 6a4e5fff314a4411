import type { Ctx } from './ctx.ts';

/** How long a follower waits for the leader before it works for itself, ms. */
const DEADLINE = 400;

const flights = new Map<string, { promise: Promise<unknown>; since: number }>();

/**
 * Single flight within the isolate: requests that miss the same key at once share one computation.
 * A follower never waits without a timer of its own, and the leader is anchored by `waitUntil`: in workerd a promise
 * of a request that has ended never settles for another (measured). Results must be plain data.
 */
export async function flight<T>(ctx: Ctx, key: string, work: () => Promise<T>): Promise<T> {
  const leader = flights.get(key);
  if (leader !== undefined && ctx.now() - leader.since < DEADLINE) {
    const shared = await Promise.race([leader.promise as Promise<T>, deadline()]).catch(() => undefined);
    if (shared !== undefined) return shared;
    return work();
  }
  const promise = work();
  const flown = { promise, since: ctx.now() };
  flights.set(key, flown);
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  ctx.waitUntil(
    settled.then(() => {
      if (flights.get(key) === flown) flights.delete(key);
    }),
  );
  return promise;
}

const deadline = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), DEADLINE));
