import { lazy } from './lazy.ts';

/**
 * Civil time: calendar and wall clock without a zone, as integers. A day counts from 1970-01-01, a local minute is a
 * minute of the wall clock since that day's 00:00; both reach back below 0. Texts are valid ones (core/instant.ts).
 */
export const DAY_MINUTES = 1440;
const DAY_MS = 86_400_000;

export const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

/** Days that were written lately: one answer names the same ones for everybody in it. */
const dates = new Map<number, string>();
const MOST_DATES = 2000;

export function dateOf(day: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  if (dates.size >= MOST_DATES) dates.clear();
  dates.set(day, date);
  return date;
}

/** ISO: 1 Monday to 7 Sunday; day 0 was a Thursday. */
export const weekdayOf = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

/** `09:30` as a minute of its day; `24:00` is the day's end. */
export const timeOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** `2026-11-01T01:30`, its seconds if any cut off, as a local minute. */
export const localOf = (text: string): number => dayOf(text.slice(0, 10)) * DAY_MINUTES + timeOf(text.slice(11));

const two = (number: number): string => String(number).padStart(2, '0');
/** Each minute of a day as text, written when the first is asked for; alone, and as an instant ends. */
const times = lazy(() => Array.from({ length: DAY_MINUTES }, (_, n) => `${two(Math.floor(n / 60))}:${two(n % 60)}`));
const instantTimes = lazy(() => times().map((time) => `T${time}:00.000Z`));

/** A local minute as `2026-11-01T01:30`. */
export function localText(local: number): string {
  const day = Math.floor(local / DAY_MINUTES);
  return `${dateOf(day)}T${times()[local - day * DAY_MINUTES]}`;
}

/** The minute since 1970 in which an instant lies. */
export const minuteOf = (instant: string): number => Math.floor(Date.parse(instant) / 60_000);

/** Minutes since 1970, in any order, as the API shows instants. */
export const instantTexts = (minutes: readonly number[]): string[] =>
  minutes.map((minute) => {
    const day = Math.floor(minute / DAY_MINUTES);
    return dateOf(day) + instantTimes()[minute - day * DAY_MINUTES];
  });

/** The same as an array of JSON, written at once: thousands of starts share few dates. */
export function instantsJson(minutes: readonly number[]): string {
  const ends = instantTimes();
  let text = '';
  let midnight = Number.NaN;
  let date = '';
  for (const minute of minutes) {
    if (!(minute >= midnight && minute < midnight + DAY_MINUTES)) {
      const day = Math.floor(minute / DAY_MINUTES);
      midnight = day * DAY_MINUTES;
      date = `","${dateOf(day)}`;
    }
    text += date + ends[minute - midnight];
  }
  return text === '' ? '[]' : `[${text.slice(2)}"]`;
}
