const RFC_3339 =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** A calendar-valid `YYYY-MM-DD` of the years 0001 to 9999 (RFC 3339 full-date). */
export function isDate(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8));
  if (year < 1 || day < 1) return false;
  if (month === 2 && day === 29) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS[month - 1] ?? 0);
}

type Years = { first: number; last: number };
const isWithin = ({ first, last }: Years, text: string): boolean => {
  const year = Number(text.slice(0, 4));
  return year >= first && year <= last;
};
const told = ({ first, last }: Years): string => `Must be from ${first} to ${last}.`;

/** Years that calendars and books are kept for: what lies beyond is a slip of the hand, and not everybody can write its end. */
const YEARS: Years = { first: 1900, last: 2199 };
/** A bound of a search may lie beyond every book, to leave that end open. */
const SEARCHED: Years = { first: 1900, last: 2999 };
export const BEYOND = told(YEARS);
export const BEYOND_SEARCH = told(SEARCHED);

/** Whether a date, or an instant as UTC text, lies within those years. */
export const isNear = (text: string): boolean => isWithin(YEARS, text);
/** The same of an instant that a search is bounded by. */
export const isSearched = (text: string): boolean => isWithin(SEARCHED, text);

/**
 * An RFC 3339 date-time with offset as UTC ISO text with milliseconds, or null when it is malformed, not in the
 * calendar, a leap second, or outside the years 0001 to 9999 in UTC. Finer fractions are cut off.
 */
export function parseInstant(text: string): string | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [, date = '', hour = '', minute = '', second = '', fraction = '', sign, offsetHour = '0', offsetMinute = '0'] =
    match;
  if (!isDate(date) || hour > '23' || minute > '59' || second > '59') return null;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  // Date.UTC would take the years 1 to 99 for 1901 to 1999; the ISO parser does not.
  const local = Date.parse(`${date}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  const instant = new Date(sign === '-' ? local + offset : local - offset).toISOString();
  // Years outside 0000 to 9999 are written with a sign and six digits.
  return instant.length === 24 && !instant.startsWith('0000') ? instant : null;
}

/**
 * An instant as the log writes it (`2026-11-23T02:07:14.12+00:00`) as the API shows it: RFC 3339 UTC with milliseconds. What a
 * console stored beyond the years that this can write is shown as it is: one row must not hide all others.
 */
export function instantOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const instant = new Date(String(value));
  return Number.isNaN(instant.getTime()) ? String(value) : instant.toISOString();
}
