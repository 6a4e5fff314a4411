import { DAY_MINUTES, dayOf, timeOf, weekdayOf } from '../core/civil.ts';
import { dayBounds, type Offsets, whileLocal } from '../core/offsets.ts';
import { covered, type Spans, without } from './spans.ts';

/** One interval of a week's hours, on the wall clock of the branch; `validFrom` and `validTo` are its first and last day. */
export type Hours = {
  weekday: number;
  start: string;
  end: string;
  validFrom?: string | null | undefined;
  validTo?: string | null | undefined;
  /** Of staff and resources: where it holds; absent everywhere. */
  branchId?: string | null | undefined;
};

export type BranchHours = {
  id: string;
  openingHours: readonly Hours[];
  holidays: readonly { date: string }[];
};

const ALWAYS: readonly Hours[] = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '00:00', end: '24:00' }));

/** The branch's own hours; one without any is always open. */
const hoursOfBranch = (branch: BranchHours): readonly Hours[] =>
  branch.openingHours.length === 0 ? ALWAYS : branch.openingHours;

/** Somebody without hours of their own keeps the branch's; with hours, those of other branches say nothing here. */
export const hoursOfStaff = (branch: BranchHours, own: readonly Hours[]): readonly Hours[] =>
  own.length === 0
    ? hoursOfBranch(branch)
    : own.filter(({ branchId }) => branchId === undefined || branchId === null || branchId === branch.id);

/** A resource without hours is there whenever somebody works with it. */
export const hoursOfResource = (branch: BranchHours, own: readonly Hours[]): readonly Hours[] | null =>
  own.length === 0 ? null : hoursOfStaff(branch, own);

/**
 * When work begins and ends, day by day from the date `from` to before `to`: one interval for each interval of the hours,
 * in order; two may touch, and each is an opening from which steps are counted. Holidays of the branch have none.
 *
 * A minute is inside hours when its wall clock is. So 01:00 to 04:00 lasts two hours on a day of 23 and four on one of
 * 25, hours that begin in the gap begin at its end, and an edge in a fold parts them: what lies outside is outside twice.
 */
export function openings(
  offsets: Offsets,
  branch: BranchHours,
  hours: readonly Hours[],
  from: string,
  to: string,
): number[] {
  const closed = new Set(branch.holidays.map(({ date }) => dayOf(date)));
  const weekdays: Compiled[][] = [[], [], [], [], [], [], []];
  for (const each of hours.map(compile).sort((a, b) => a.start - b.start)) weekdays[each.weekday - 1]?.push(each);
  const found: number[] = [];
  const end = dayOf(to);
  for (let day = dayOf(from); day < end; day += 1) {
    if (closed.has(day)) continue;
    const midnight = day * DAY_MINUTES;
    const before = found.length;
    let parted = false;
    for (const each of weekdays[weekdayOf(day) - 1] ?? []) {
      if (day < each.firstDay || day > each.lastDay) continue;
      const pieces = whileLocal(offsets, midnight + each.start, midnight + each.end);
      found.push(...pieces);
      parted ||= pieces.length > 2;
    }
    // The first piece of one interval may come before the second of another that a fold has parted.
    if (parted) found.push(...inOrder(found.splice(before)));
  }
  return found;
}

function inOrder(intervals: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < intervals.length; i += 2) pairs.push([intervals[i] ?? 0, intervals[i + 1] ?? 0]);
  return pairs.sort((a, b) => a[0] - b[0]).flat();
}

type Compiled = { weekday: number; start: number; end: number; firstDay: number; lastDay: number };

const compile = ({ weekday, start, end, validFrom, validTo }: Hours): Compiled => ({
  weekday,
  start: timeOf(start),
  end: timeOf(end),
  firstDay: validFrom ? dayOf(validFrom) : Number.NEGATIVE_INFINITY,
  lastDay: validTo ? dayOf(validTo) : Number.POSITIVE_INFINITY,
});

/** Hours that follow one another without a break are one stretch of work; time off, in any order, is taken out. */
export const workingTime = (opened: readonly number[], timeOff: readonly number[]): Spans =>
  without(covered(opened), covered(timeOff));

/** First minute of the date `from` and of `to`. */
export const rangeOf = (offsets: Offsets, from: string, to: string): { start: number; end: number } => ({
  start: dayBounds(offsets, from).start,
  end: dayBounds(offsets, to).start,
});
