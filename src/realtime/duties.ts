import { RETRY } from './patience.ts';

/** Something that an alarm is for. @returns when it is to be done again, ms, where it says so */
type Duty = () => unknown;

/**
 * Does all of these, each by itself: one that fails or takes long keeps none of the others from its turn, and what failed is
 * done again in a moment. Never rejects, as the platform rings a few times more for an alarm that does, and then never again.
 * @returns when the first of them is due next, ms; null: none is
 */
export async function doAll(duties: readonly Duty[]): Promise<number | null> {
  const times = await Promise.all(
    duties.map(async (duty) => {
      try {
        return await duty();
      } catch (error) {
        const cause = error instanceof Error ? error.name : typeof error;
        console.error(JSON.stringify({ level: 'error', code: 'alarm_failed', cause }));
        return Date.now() + RETRY;
      }
    }),
  );
  return earliest(...times);
}

export function earliest(...times: readonly unknown[]): number | null {
  const known = times.filter((time) => typeof time === 'number');
  return known.length === 0 ? null : Math.min(...known);
}
