import { DAY_MINUTES, dateOf, weekdayOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { completed, MAX_OCCURRENCES, type Rule } from './rrule.ts';

/** How far a series may reach: each year of a zone costs looking its offsets up. */
export const MAX_REACH_DAYS = 50 * 366;

/**
 * The starts of a series as local minutes, from the first one on, each at its time of day; what the rule gives, whether
 * or not that holds the first start itself.
 * @param last the last local minute, or null where the rule counts
 * @throws AppError invalid_rrule: none, more than 366, or further than 50 years away
 */
export function occurrences(rule: Rule, first: number, last: number | null): number[] {
  const firstDay = Math.floor(first / DAY_MINUTES);
  const timeOfDay = first - firstDay * DAY_MINUTES;
  const full = completed(rule, firstDay);
  const starts: number[] = [];
  const most = rule.count ?? MAX_OCCURRENCES + 1;
  let hasEnded = last !== null && last < (firstDay + MAX_REACH_DAYS) * DAY_MINUTES;
  for (const day of daysOf(full, firstDay)) {
    const start = day * DAY_MINUTES + timeOfDay;
    if (last !== null && start > last) break;
    starts.push(start);
    if (starts.length < most) continue;
    hasEnded = true;
    break;
  }
  if (starts.length === 0) throw outOf('The rule has no occurrence.');
  if (starts.length > MAX_OCCURRENCES) throw outOf(`The rule has more than ${MAX_OCCURRENCES} occurrences.`);
  if (!hasEnded) throw outOf('The rule reaches further than 50 years.');
  return starts;
}

function outOf(detail: string): AppError {
  return new AppError('invalid_rrule', detail, { faults: [{ pointer: '/rrule', code: 'invalid_rrule', detail }] });
}

/** Every day of the rule in order, from the first one on; places in a set count from where its period begins. */
function* daysOf(rule: Rule, firstDay: number): Generator<number> {
  const { bySetPosition } = rule;
  const endDay = firstDay + MAX_REACH_DAYS;
  for (let n = 0; ; n += 1) {
    const [start, end] = period(rule, firstDay, n * rule.interval);
    if (start >= endDay) return;
    let days: number[] = [];
    for (let day = start; day < end; day += 1) if (matches(rule, day)) days.push(day);
    if (bySetPosition.length > 0) {
      const { length } = days;
      days = days.filter((_, i) => bySetPosition.includes(i + 1) || bySetPosition.includes(i - length));
    }
    for (const day of days) if (day >= firstDay && day < endDay) yield day;
  }
}

/** The days of the period so many after the first one's. */
function period({ frequency, weekStart }: Rule, firstDay: number, after: number): [start: number, end: number] {
  if (frequency === 'DAILY') return [firstDay + after, firstDay + after + 1];
  if (frequency === 'WEEKLY') {
    const start = firstDay - ((weekdayOf(firstDay) - weekStart + 7) % 7) + 7 * after;
    return [start, start + 7];
  }
  const date = dateOf(firstDay);
  const months = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1;
  if (frequency === 'MONTHLY') return [monthStart(months + after), monthStart(months + after + 1)];
  const january = months - (months % 12) + 12 * after;
  return [monthStart(january), monthStart(january + 12)];
}

/** Months count from year 0, which Date.UTC takes for 1900 like all years before 100. */
const monthStart = (months: number): number =>
  Date.UTC(Math.floor(months / 12), months % 12, 1) / (DAY_MINUTES * 60_000);

function matches(rule: Rule, day: number): boolean {
  const { byMonth, byMonthDay, byDay } = rule;
  // Most days fail on the weekday, which needs no date.
  const weekday = weekdayOf(day);
  const named = byDay.filter((each) => each.weekday === weekday);
  if (byDay.length > 0 && named.length === 0) return false;
  if (byMonth.length === 0 && byMonthDay.length === 0 && named.every(({ nth }) => nth === 0)) return true;
  const date = new Date(day * DAY_MINUTES * 60_000);
  const month = date.getUTCMonth();
  if (byMonth.length > 0 && !byMonth.includes(month + 1)) return false;
  const months = date.getUTCFullYear() * 12 + month;
  const [from, end] = [monthStart(months), monthStart(months + 1)];
  if (byMonthDay.length > 0 && !byMonthDay.includes(day - from + 1) && !byMonthDay.includes(day - end)) return false;
  if (byDay.length === 0 || named.some(({ nth }) => nth === 0)) return true;
  // Numbered within the month, or within the year where a yearly rule names no months.
  const isOfYear = rule.frequency === 'YEARLY' && byMonth.length === 0;
  const january = months - month;
  const [first, after] = isOfYear ? [monthStart(january), monthStart(january + 12)] : [from, end];
  const nth = Math.floor((day - first) / 7) + 1;
  const nthLast = -(Math.floor((after - 1 - day) / 7) + 1);
  return named.some((each) => each.nth === nth || each.nth === nthLast);
}
