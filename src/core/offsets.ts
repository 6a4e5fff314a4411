import { DAY_MINUTES, dateOf, dayOf } from './civil.ts';
import { type YearOffsets, yearOffsets } from './transitions.ts';

/**
 * A zone over a range of time, so that everything after it is integer arithmetic: from minute `at[i]` on the wall clock
 * shows UTC plus `offset[i]` minutes. Minutes count from 1970 in UTC, local minutes on the wall clock (civil.ts).
 */
export type Offsets = { timeZone: string; at: readonly number[]; offset: readonly number[] };

/** Years of zones already asked for: a few numbers each, never stale within an isolate's life. */
const years = new Map<string, YearOffsets>();
const MAX_YEARS = 1000;

/** The offsets of a zone that hold from the minute `first` to `last`, with the two days around for what reaches across. */
export function offsetsOf(timeZone: string, first: number, last: number): Offsets {
  const margin = 2 * DAY_MINUTES;
  const at: number[] = [];
  const offset: number[] = [];
  const lastYear = yearOf(last + margin);
  for (let year = yearOf(first - margin); year <= lastYear; year += 1) {
    const known = years.get(`${timeZone} ${year}`) ?? load(timeZone, year);
    if (at.length === 0) {
      at.push(Number.NEGATIVE_INFINITY);
      offset.push(known.offset);
    }
    for (const change of known.changes) {
      at.push(change.at);
      offset.push(change.offset);
    }
  }
  return { timeZone, at, offset };
}

const yearOf = (minute: number): number => Math.min(9999, Math.max(1, new Date(minute * 60_000).getUTCFullYear()));

function load(timeZone: string, year: number): YearOffsets {
  const loaded = yearOffsets(timeZone, year);
  if (years.size >= MAX_YEARS) years.clear();
  years.set(`${timeZone} ${year}`, loaded);
  return loaded;
}

/** What the wall clock shows at a minute. */
export function localAt({ at, offset }: Offsets, minute: number): number {
  let i = at.length - 1;
  while (i > 0 && minute < (at[i] ?? 0)) i -= 1;
  return minute + (offset[i] ?? 0);
}

export const localDateAt = (offsets: Offsets, minute: number): string =>
  dateOf(Math.floor(localAt(offsets, minute) / DAY_MINUTES));

/** The minutes at which the wall clock shows this: none in a gap, two in a fold, the earlier first. */
export function minutesAt({ at, offset }: Offsets, local: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < at.length; i += 1) {
    const minute = local - (offset[i] ?? 0);
    if (minute >= (at[i] ?? 0) && minute < (at[i + 1] ?? Number.POSITIVE_INFINITY)) found.push(minute);
  }
  return found;
}

/**
 * The valid times on both sides of one in a gap: it taken with the offset after the change, then with the one before
 * (Temporal's `earlier` and `later`): 02:30 between 02:00 and 03:00 gives 01:30 and 03:30.
 */
export function aroundGap({ at, offset }: Offsets, local: number): number[] {
  for (let i = 1; i < at.length; i += 1) {
    const before = offset[i - 1] ?? 0;
    const after = offset[i] ?? 0;
    const change = at[i] ?? 0;
    if (local >= change + before && local < change + after) return [local - after, local - before];
  }
  return [];
}

/** The first minute at which the wall clock has come to this or beyond. */
export function reachedAt({ at, offset }: Offsets, local: number): number {
  for (let i = 0; i < at.length; i += 1) {
    const minute = Math.max(at[i] ?? 0, local - (offset[i] ?? 0));
    if (minute < (at[i + 1] ?? Number.POSITIVE_INFINITY)) return minute;
  }
  return Number.POSITIVE_INFINITY;
}

/** First minute and end of a day of the zone: 23 or 25 hours apart when clocks change, none for a date that was skipped. */
export function dayBounds(offsets: Offsets, date: string): { start: number; end: number } {
  const local = dayOf(date) * DAY_MINUTES;
  return { start: reachedAt(offsets, local), end: reachedAt(offsets, local + DAY_MINUTES) };
}

/**
 * When the wall clock lies in `[start, end)`: one interval as a rule; on a day whose clock changes it is shorter (what
 * lies in the gap does not happen), longer (what lies in the fold happens twice) or in two pieces.
 */
export function whileLocal({ at, offset }: Offsets, start: number, end: number): number[] {
  const spans: number[] = [];
  for (let i = 0; i < at.length; i += 1) {
    const from = Math.max(at[i] ?? 0, start - (offset[i] ?? 0));
    const to = Math.min(at[i + 1] ?? Number.POSITIVE_INFINITY, end - (offset[i] ?? 0));
    if (from >= to) continue;
    if (spans.at(-1) === from) spans[spans.length - 1] = to;
    else spans.push(from, to);
  }
  return spans;
}
