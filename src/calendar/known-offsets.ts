import { offsetsOf } from '../core/offsets.ts';

/** What is known of zones, as `app.local_at` takes it: from which minute on which offset, null from ever. */
export type Clock = Record<string, [from: number | null, offset: number][]>;

const startOf = (year: number): number => Date.UTC(year, 0, 1) / 60_000;
const yearOf = (minute: number): number => new Date(minute * 60_000).getUTCFullYear();
const DAYS = 3 * 1440;

/** Of the years of these minutes: a file may reach over many, and name few of them. */
export function clockAt(times: readonly { timeZone: string; minute: number }[]): Clock {
  const clock: Clock = {};
  for (const [zone, all] of Map.groupBy(times, ({ timeZone }) => timeZone)) {
    const years = new Set(all.flatMap(({ minute }) => [yearOf(minute - DAYS), yearOf(minute + DAYS)]));
    const known: [number | null, number][] = [];
    for (const year of [...years].sort((a, b) => a - b)) {
      const { at, offset } = offsetsOf(zone, startOf(year) + DAYS, startOf(year + 1) - DAYS);
      for (const [i, from] of at.entries()) known.push([Number.isFinite(from) ? from : startOf(year), offset[i] ?? 0]);
    }
    if (known[0] !== undefined) known[0] = [null, known[0][1]];
    clock[zone] = known;
  }
  return clock;
}
