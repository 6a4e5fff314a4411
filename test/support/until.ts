import { setTimeout as pause } from 'node:timers/promises';

/**
 * The only way tests wait: asks `probe` every 20 ms until it answers something truthy; throws after `deadline` ms, which is for a
 * machine that is several times slower than usual. Bounds that are promised are named by whoever waits.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  deadline = 30_000,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() >= end) throw new Error(`not within ${deadline} ms: ${what}`);
    await pause(20);
  }
}

/**
 * Waits until `read` has answered the same for 80 ms, for counting what happens behind an answer; where nothing has moved since it
 * waited last, it need not wait again.
 */
export function stillness(read: () => string): () => Promise<void> {
  let last = read();
  let since = Date.now();
  return async () => {
    await until('nothing moves any more', () => {
      const now = read();
      if (now !== last) {
        last = now;
        since = Date.now();
      }
      return Date.now() - since > 80;
    });
  };
}

/** The same, once. */
export const settled = (read: () => string): Promise<void> => stillness(read)();

/**
 * The least of up to `rounds` measurements of ms, the first that is below `bound` being enough: noise of the machine only adds, what
 * the product does it does every time.
 */
export async function leastBelow(bound: number, measure: () => Promise<number>, rounds = 4): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds && least >= bound; round += 1) least = Math.min(least, await measure());
  return least;
}

/**
 * Does `attempt`, all of which must be counted in one minute, once more where a minute ended meanwhile: with a company of its
 * own each time.
 */
export async function inOneMinute<T>(attempt: () => Promise<T>): Promise<T> {
  const minute = (): number => Math.floor(Date.now() / 60_000);
  for (;;) {
    const began = minute();
    try {
      return await attempt();
    } catch (error) {
      if (minute() === began) throw error;
    }
  }
}
