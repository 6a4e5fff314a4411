import { Temporal } from 'temporal-polyfill';

/** Minutes as the wall clock shows them: of which of the dates, and when on it. */
export type Wall = {
  first: number;
  dates: readonly string[];
  weekdays: readonly number[];
  date: Uint16Array;
  time: Uint16Array;
};

const kept = new Map<string, Wall>();
const next = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();

/** All minutes of a zone from one day to another, both included, as Temporal tells them; clocks change at whole fives. */
export function wallOf(timeZone: string, from: string, to: string): Wall {
  const known = kept.get(`${timeZone} ${from} ${to}`);
  if (known !== undefined) return known;
  const dates: string[] = [];
  for (let date = from; date <= to; date = next(date)) dates.push(date);
  const end = Temporal.PlainDate.from(next(to)).toZonedDateTime(timeZone).epochMilliseconds;
  const [date, time]: [number[], number[]] = [[], []];
  const begin = Temporal.PlainDate.from(from).toZonedDateTime(timeZone);
  for (let at = begin; at.epochMilliseconds < end; at = at.add({ minutes: 5 })) {
    const its = dates.indexOf(at.toPlainDate().toString());
    for (let minute = 0; minute < 5; minute += 1) {
      date.push(its);
      time.push(at.hour * 60 + at.minute + minute);
    }
  }
  const wall = {
    ...{ first: begin.epochMilliseconds / 60_000, dates },
    weekdays: dates.map((each) => Temporal.PlainDate.from(each).dayOfWeek),
    ...{ date: Uint16Array.from(date), time: Uint16Array.from(time) },
  };
  kept.set(`${timeZone} ${from} ${to}`, wall);
  return wall;
}
