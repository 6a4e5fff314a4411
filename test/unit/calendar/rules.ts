import fc from 'fast-check';
import { occurrences } from '../../../src/calendar/recurrence.ts';
import { parseRule } from '../../../src/calendar/rrule.ts';
import { localOf } from '../../../src/core/civil.ts';
import { AppError } from '../../../src/core/errors.ts';

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** Rules of all frequencies with what each may have; the first start lies in 2026 or 2027. */
const some = <T>(values: fc.Arbitrary<T>, max: number) => fc.uniqueArray(values, { maxLength: max });
export const rules = fc
  .record({
    frequency: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    interval: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 1, max: 12 }),
    days: some(fc.tuple(fc.constantFrom(0, 0, 1, 2, 4, 5, -1, -2), fc.constantFrom(...WEEKDAYS)), 3),
    monthDays: some(
      fc.integer({ min: -31, max: 31 }).filter((n) => n !== 0),
      2,
    ),
    months: some(fc.integer({ min: 1, max: 12 }), 3),
    positions: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, some(fc.constantFrom(1, 2, -1), 2)),
    weekStart: fc.constantFrom('MO', 'SU', 'TH'),
  })
  .map(({ frequency, interval, count, days, monthDays, months, positions, weekStart }) => {
    const numbered = frequency === 'MONTHLY' || frequency === 'YEARLY';
    const byDay = [...new Set(days.map(([nth, name]) => (numbered && nth !== 0 ? `${nth}${name}` : name)))];
    const byMonthDay = frequency === 'WEEKLY' ? [] : monthDays;
    const parts = [`FREQ=${frequency}`, `INTERVAL=${interval}`, `COUNT=${count}`, `WKST=${weekStart}`];
    if (byDay.length > 0) parts.push(`BYDAY=${byDay}`);
    if (byMonthDay.length > 0) parts.push(`BYMONTHDAY=${byMonthDay}`);
    if (months.length > 0) parts.push(`BYMONTH=${months}`);
    if (positions.length > 0 && byDay.length + byMonthDay.length > 0) parts.push(`BYSETPOS=${positions}`);
    return parts.join(';');
  });
export const firsts = fc.integer({ min: localOf('2026-01-01T00:00') / 1440, max: localOf('2027-12-31T00:00') / 1440 });

/** Null where the rule is refused. */
export function tryStarts(text: string, first: number): number[] | null {
  try {
    return occurrences(parseRule(text), first, null);
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_rrule') return null;
    throw error;
  }
}
