import { DAY_MINUTES, localOf, weekdayOf } from '../core/civil.ts';
import { AppError, type Fault } from '../core/errors.ts';

/** ISO weekday, and which of its month or year; 0: each. */
type WeekdayNumber = { weekday: number; nth: number };
type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';

/** A recurrence rule (RFC 5545, 3.3.10) of whole days: the time of day is the first start's. */
export type Rule = {
  frequency: Frequency;
  interval: number;
  count: number | null;
  /** The last moment, as written: a date, a local time, or an instant when it ends in Z. */
  until: string | null;
  byDay: readonly WeekdayNumber[];
  byMonthDay: readonly number[];
  byMonth: readonly number[];
  bySetPosition: readonly number[];
  weekStart: number;
};

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
export const MAX_OCCURRENCES = 366;

/** @throws AppError invalid_rrule, saying of every part that cannot be taken why */
export function parseRule(text: string): Rule {
  const faults: Fault[] = [];
  /** What a part says; `otherwise` where it cannot be taken. */
  const read = <T>(part: () => T, otherwise: T): T => {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      faults.push(...error.faults);
      return otherwise;
    }
  };
  const parts = partsOf(text, read);
  const take = (name: string): string | null => {
    const value = parts.get(name) ?? null;
    parts.delete(name);
    return value;
  };
  const numbers = (name: string, min: number, max: number): number[] => {
    const given = take(name);
    return read(() => listOf(given, (value) => numberOf(name, value, min, max)), []);
  };
  const [frequency, interval, count, until] = [take('FREQ'), take('INTERVAL'), take('COUNT'), take('UNTIL')];
  const [days, start] = [take('BYDAY'), take('WKST')];
  const rule: Rule = {
    // What is no part may have been meant for it.
    frequency: read(() => (frequency === null && faults.length > 0 ? 'DAILY' : frequencyOf(frequency)), 'DAILY'),
    interval: read(() => numberOf('INTERVAL', interval ?? '1', 1, 1000), 1),
    count: read(() => optional(count, (value) => numberOf('COUNT', value, 1, MAX_OCCURRENCES)), 1),
    until: read(() => optional(until, untilOf), null),
    byDay: read(() => listOf(days, weekdayNumber), []),
    byMonthDay: numbers('BYMONTHDAY', -31, 31),
    byMonth: numbers('BYMONTH', 1, 12),
    bySetPosition: numbers('BYSETPOS', -366, 366),
    weekStart: read(() => WEEKDAYS.indexOf(start ?? 'MO') + 1 || refuse('WKST must be a weekday such as MO.'), 1),
  };
  for (const name of parts.keys()) read(() => refuse(`${name.slice(0, 40)} is not supported.`), null);
  // What parts say of each other is only told where each says something.
  if (faults.length === 0) for (const law of LAWS) read(() => law(rule), undefined);
  if (faults.length > 0) throw new AppError('invalid_rrule', faults[0]?.detail, { faults });
  return rule;
}

function partsOf(text: string, read: (part: () => void, otherwise: undefined) => void): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .replace(/;$/, '')
    .split(';'))
    read(() => {
      const [, name = '', value = ''] =
        /^([A-Z]+)=(.+)$/.exec(part) ?? refuse(`"${part.slice(0, 40).toWellFormed()}" is not NAME=value.`);
      if (parts.has(name)) refuse(`${name.slice(0, 40)} is given twice.`);
      parts.set(name, value);
    }, undefined);
  return parts;
}

const LAWS: readonly ((rule: Rule) => void)[] = [
  ({ count, until }) => {
    if (count !== null && until !== null) refuse('COUNT and UNTIL exclude each other.');
    if (count === null && until === null) refuse('COUNT or UNTIL must say where it ends.');
  },
  ({ frequency, byDay }) => {
    if (byDay.some(({ nth }) => nth !== 0) && frequency !== 'MONTHLY' && frequency !== 'YEARLY')
      refuse('Only a month or year has numbered weekdays.');
  },
  ({ frequency, byMonthDay }) => {
    if (byMonthDay.length > 0 && frequency === 'WEEKLY') refuse('A week has no BYMONTHDAY.');
  },
  ({ byDay, byMonthDay, byMonth, bySetPosition }) => {
    const hasSet = byDay.length + byMonthDay.length + byMonth.length > 0;
    if (bySetPosition.length > 0 && !hasSet) refuse('BYSETPOS needs another BY part.');
  },
];

function refuse(detail: string): never {
  const faults = [{ pointer: '/rrule', code: 'invalid_rrule', detail }];
  throw new AppError('invalid_rrule', detail, { faults });
}

const optional = <T>(value: string | null, read: (value: string) => T): T | null =>
  value === null ? null : read(value);
const listOf = <T>(value: string | null, read: (value: string) => T): T[] => value?.split(',').map(read) ?? [];

function frequencyOf(value: string | null): Frequency {
  if (value === 'DAILY' || value === 'WEEKLY' || value === 'MONTHLY' || value === 'YEARLY') return value;
  return refuse('FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.');
}

function numberOf(name: string, value: string, min: number, max: number): number {
  const number = /^[+-]?[0-9]{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max && number !== 0) return number;
  return refuse(`${name} must be ${min < 0 ? `${min} to -1 or 1` : min} to ${max}.`);
}

function weekdayNumber(value: string): WeekdayNumber {
  const [, nth = '', name = ''] = /^([+-]?[0-9]{1,2})?([A-Z]{2})$/.exec(value) ?? [];
  const weekday = WEEKDAYS.indexOf(name) + 1;
  if (weekday === 0) return refuse(`BYDAY must hold weekdays such as MO or -1FR.`);
  return { weekday, nth: nth === '' ? 0 : numberOf('The number of a weekday', nth, -53, 53) };
}

function untilOf(value: string): string {
  const match = /^([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?$/.exec(value);
  const [, year, month, day, hour, minute, second, zulu = ''] = match ?? [];
  const text =
    hour === undefined ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hour}:${minute}:${second}${zulu}`;
  const read = match === null ? null : new Date(hour === undefined || zulu !== '' ? text : `${text}Z`);
  if (read === null || Number.isNaN(read.getTime()) || read.getUTCDate() !== Number(day)) {
    return refuse('UNTIL must be a date or time such as 20261231 or 20261231T230000Z.');
  }
  return text;
}

/** The rule as text that parseRule reads as the same. */
export function ruleText(rule: Rule): string {
  const parts = [`FREQ=${rule.frequency}`];
  const add = (name: string, values: readonly (string | number)[]): void => {
    if (values.length > 0) parts.push(`${name}=${values.join(',')}`);
  };
  if (rule.interval !== 1) add('INTERVAL', [rule.interval]);
  add('BYMONTH', rule.byMonth);
  add('BYMONTHDAY', rule.byMonthDay);
  add(
    'BYDAY',
    rule.byDay.map(({ weekday, nth }) => `${nth === 0 ? '' : nth}${WEEKDAYS[weekday - 1]}`),
  );
  add('BYSETPOS', rule.bySetPosition);
  if (rule.weekStart !== 1) parts.push(`WKST=${WEEKDAYS[rule.weekStart - 1]}`);
  if (rule.count !== null) add('COUNT', [rule.count]);
  if (rule.until !== null) add('UNTIL', [rule.until.replaceAll(/[-:]/g, '')]);
  return parts.join(';');
}

/** UNTIL as the last local minute; an instant by way of what the wall clock shows then. */
export function lastLocal(until: string, localOfMinute: (minute: number) => number): number {
  if (until.length === 10) return localOf(`${until}T00:00`) + DAY_MINUTES - 1;
  if (!until.endsWith('Z')) return localOf(until);
  return localOfMinute(Math.floor(Date.parse(until) / 60_000));
}

/** The rule with what RFC 5545 takes from the first day where the rule does not say it. */
export function completed(rule: Rule, firstDay: number): Rule {
  const date = new Date(firstDay * DAY_MINUTES * 60_000);
  const says = rule.byDay.length + rule.byMonthDay.length > 0;
  const byMonthDay = [date.getUTCDate()];
  if (rule.frequency === 'WEEKLY' && rule.byDay.length === 0)
    return { ...rule, byDay: [{ weekday: weekdayOf(firstDay), nth: 0 }] };
  if (rule.frequency === 'MONTHLY' && !says) return { ...rule, byMonthDay };
  if (rule.frequency !== 'YEARLY' || says) return rule;
  return { ...rule, byMonthDay, byMonth: rule.byMonth.length > 0 ? rule.byMonth : [date.getUTCMonth() + 1] };
}
