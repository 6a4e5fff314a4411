/** The only file that imports the polyfill: loaded when a zone is first asked for, and only these three functions of it. */
import { create, getTimeZoneTransition, offsetNanoseconds } from 'temporal-polyfill/fns/ZonedDateTime';

const MINUTE_NS = 60_000_000_000n;

/** Offsets of a year (UTC): the one it begins with, then minute and offset of each change within it. */
export type YearOffsets = { offset: number; changes: readonly { at: number; offset: number }[] };

/** Offsets are whole minutes since 1972; older ones of odd seconds are rounded. */
export function yearOffsets(timeZone: string, year: number): YearOffsets {
  const first = BigInt(Date.parse(`${String(year).padStart(4, '0')}-01-01T00:00:00Z`)) * 1_000_000n;
  const end = BigInt(Date.parse(`${String(year).padStart(4, '0')}-12-31T23:59:00Z`)) * 1_000_000n + MINUTE_NS;
  const start = create(first, timeZone);
  const minutesOf = (record: typeof start): number => Math.round(offsetNanoseconds(record) / Number(MINUTE_NS));
  const changes: { at: number; offset: number }[] = [];
  for (let next = getTimeZoneTransition(start, 'next'); next !== null; next = getTimeZoneTransition(next, 'next')) {
    if (next.epochNanoseconds >= end) break;
    changes.push({ at: Math.ceil(Number(next.epochNanoseconds / 1_000_000n) / 60_000), offset: minutesOf(next) });
  }
  return { offset: minutesOf(start), changes };
}
