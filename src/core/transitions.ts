/** Offsets of a year (UTC): the one it begins with, then minute and offset of each change within it. */
export type YearOffsets = { offset: number; changes: readonly { at: number; offset: number }[] };

/** From look to look, in minutes: since 1970 no zone has gone to and fro within one, the quickest in a week (test/unit/calendar/transitions.test.ts). */
const STEP = 5 * 24 * 60;

/** Offsets are whole minutes since 1972; older ones of odd seconds are rounded. */
export function yearOffsets(timeZone: string, year: number): YearOffsets {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offsetAt = (minute: number): number => minutesOf(format.format(minute * 60_000));
  const first = firstOf(year);
  const end = firstOf(year + 1);
  const offset = offsetAt(first);
  const changes: { at: number; offset: number }[] = [];
  let now = offset;
  for (let from = first; from < end - 1; ) {
    const to = Math.min(from + STEP, end - 1);
    if (offsetAt(to) === now) {
      from = to;
      continue;
    }
    const at = firstOther(offsetAt, now, from, to);
    now = offsetAt(at);
    changes.push({ at, offset: now });
    from = at;
  }
  return { offset, changes };
}

/** The first minute after `from` that has another offset than `known`; the one of `to` is another. */
function firstOther(offsetAt: (minute: number) => number, known: number, from: number, to: number): number {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle) === known) before = middle;
    else after = middle;
  }
  return after;
}

const firstOf = (year: number): number => Date.parse(`${`${year}`.padStart(4, '0')}-01-01T00:00:00Z`) / 60_000;

/** Of `1/31/2026, GMT+01:00`; GMT alone is none, and old ones have seconds. */
function minutesOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text
    .slice(text.indexOf('GMT') + 4)
    .split(':')
    .map(Number);
  const size = hours * 60 + minutes + seconds / 60;
  return Math.round(text.includes('GMT-') ? -size : size);
}
