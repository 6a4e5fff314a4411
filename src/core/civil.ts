/**
 * Civil time: calendar and wall clock without a zone, as integers. A day counts from 1970-01-01, a local minute is a
 * minute of the wall clock since that day's 00:00; both reach back below 0. Texts are valid ones (core/instant.ts).
 */
export const DAY_MINUTES = 1440;
const DAY_MS = 86_400_000;

export const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
export const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** ISO: 1 Monday to 7 Sunday; day 0 was a Thursday. */
export const weekdayOf = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

/** `09:30` as a minute of its day; `24:00` is the day's end. */
export const timeOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** `2026-11-01T01:30`, its seconds if any cut off, as a local minute. */
export const localOf = (text: string): number => dayOf(text.slice(0, 10)) * DAY_MINUTES + timeOf(text.slice(11));

const two = (number: number): string => String(number).padStart(2, '0');
let times: string[] = [];
let instantTimes: string[] = [];

/** A minute of a day as text; all of them are written once, when the first is asked for. */
function timeText(minute: number): string | undefined {
  if (times.length === 0)
    times = Array.from({ length: DAY_MINUTES }, (_, n) => `${two(Math.floor(n / 60))}:${two(n % 60)}`);
  return times[minute];
}

/** A local minute as `2026-11-01T01:30`. */
export function localText(local: number): string {
  const day = Math.floor(local / DAY_MINUTES);
  return `${dateOf(day)}T${timeText(local - day * DAY_MINUTES)}`;
}

/** The minute since 1970 in which an instant lies. */
export const minuteOf = (instant: string): number => Math.floor(Date.parse(instant) / 60_000);

/** Minutes since 1970, in any order, as the API shows instants: thousands of starts share few dates. */
export function instantTexts(minutes: readonly number[]): string[] {
  if (instantTimes.length === 0)
    instantTimes = Array.from({ length: DAY_MINUTES }, (_, n) => `T${timeText(n)}:00.000Z`);
  let midnight = Number.NaN;
  let date = '';
  return minutes.map((minute) => {
    if (!(minute >= midnight && minute < midnight + DAY_MINUTES)) {
      const day = Math.floor(minute / DAY_MINUTES);
      midnight = day * DAY_MINUTES;
      date = dateOf(day);
    }
    return date + instantTimes[minute - midnight];
  });
}
