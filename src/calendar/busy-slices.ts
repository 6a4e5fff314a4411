import { DAY_MINUTES } from '../core/civil.ts';
import type { Times } from './catalogue.ts';
import { covered, type Spans } from './spans.ts';

// What is busy, in slices: one of a staff member or resource and a day of UTC, so that a booking spoils those of its days.

/** A hold among it: in nobody's way from `until` on, ms since 1970. */
type Held = { until: number; start: number; end: number };

/** What keeps one busy on one day, cut to it, as of a revision. `pieces`: of bookings, as Postgres tells it; '' when none. */
type Slice = { revision: number; pieces: string; holds: readonly Held[] };

/** The slices of one day of UTC, by the id of whom or what they are of. */
export type Slices = ReadonlyMap<string, Slice>;

/** Of whom, as `app.busy_on` tells it: on which days bookings are, those of each, and of each hold start and length of its stretches. */
export type BusyRow = [
  id: string,
  days: number[] | null,
  pieces: string[] | null,
  held: [until: number, pieces: string][] | null,
];

const NONE: readonly never[] = [];
/** Numbers below `ONE` in one character, others in two (app.short_number). */
const [ZERO, ONE, HIGH] = [48, 44, 45];

/** Where a list is put together before it is as long as it is: one that grows is copied again and again. */
const sheet: number[] = [];
const LONGEST_SHEET = 65_536;

function listOf(filled: number): number[] {
  const list = sheet.slice(0, filled);
  if (filled > LONGEST_SHEET) sheet.length = 0;
  return list;
}

/**
 * Puts the stretches of a day on the sheet, behind `filled` numbers; one that goes on over midnight was cut there, and is one again.
 * @returns how many it holds then
 */
function put(filled: number, day: number, pieces: string): number {
  // Whole numbers, and V8 is to know: arrays of floating ones are swept at half the speed.
  let minute = (day * DAY_MINUTES) | 0;
  let end = filled | 0;
  const before = end === 0 ? minute - 1 : (sheet[end - 1] ?? 0);
  const length = pieces.length;
  for (let at = 0; at < length; at += 1) {
    let number = (pieces.charCodeAt(at) - ZERO) | 0;
    if (number >= ONE) {
      at += 1;
      number = (ONE + (number - HIGH) * ONE + pieces.charCodeAt(at) - ZERO) | 0;
    }
    minute = (minute + number) | 0;
    // Within a day none touches another.
    if (minute === before) end -= 1;
    else {
      sheet[end] = minute;
      end += 1;
    }
  }
  return end;
}

/** Start and end of each stretch of a hold. */
function stretchesOf(pieces: string): number[] {
  const numbers: number[] = JSON.parse(`[${pieces}]`);
  return numbers.map((each, i) => (i % 2 === 0 ? each : each + (numbers[i - 1] ?? 0)));
}

/** All that was read, whole; `until`: when a hold among it expires. */
export function busyOf(rows: readonly BusyRow[]): { busy: Times; until: number | null } {
  let until = Number.POSITIVE_INFINITY;
  const busy = new Map(
    rows.map(([id, days, pieces, held]) => {
      let filled = 0;
      for (const [i, day] of (days ?? NONE).entries()) filled = put(filled, day, pieces?.[i] ?? '');
      const list = listOf(filled);
      for (const [expires, its] of held ?? NONE) {
        list.push(...stretchesOf(its));
        until = Math.min(until, expires);
      }
      return [id, list];
    }),
  );
  return { busy, until: until === Number.POSITIVE_INFINITY ? null : until };
}

/** What was read of these subjects and days, as slices: one of each, also where nothing is busy. */
export function slicesOf(
  rows: readonly BusyRow[],
  subjects: Iterable<string>,
  days: readonly number[],
  revision: number,
): ReadonlyMap<number, Slices> {
  const free: Slice = { revision, pieces: '', holds: NONE };
  const all = [...subjects];
  const slices = new Map(days.map((day) => [day, new Map<string, Slice>(all.map((id) => [id, free]))]));
  for (const [id, told, pieces, held] of rows) {
    for (const [i, day] of (told ?? NONE).entries())
      slices.get(day)?.set(id, { revision, pieces: pieces?.[i] ?? '', holds: NONE });
    for (const [until, its] of held ?? NONE) {
      const stretches = stretchesOf(its);
      for (let i = 0; i < stretches.length; i += 2) {
        const [start, end] = [stretches[i] ?? 0, stretches[i + 1] ?? 0];
        for (let day = Math.floor(start / DAY_MINUTES); day * DAY_MINUTES < end; day += 1) {
          const its = slices.get(day);
          const slice = its?.get(id) ?? free;
          const midnight = day * DAY_MINUTES;
          const hold = { until, start: Math.max(start, midnight), end: Math.min(end, midnight + DAY_MINUTES) };
          its?.set(id, { ...slice, holds: [...slice.holds, hold] });
        }
      }
    }
  }
  return slices;
}

/** What days that follow each other come to for whoever was asked for; `ends`: of whom a hold is among it, and when the first expires. */
export type Joined = { days: readonly Slices[]; busy: Times; ends: ReadonlyMap<string, number> };

/** Days that follow each other from `firstDay` on, put together for these subjects as of now. */
export function joined(days: readonly Slices[], firstDay: number, subjects: Iterable<string>, now: number): Joined {
  const busy = new Map<string, Spans>();
  const ends = new Map<string, number>();
  for (const id of subjects) {
    let filled = 0;
    let until = Number.POSITIVE_INFINITY;
    const held: number[] = [];
    for (let n = 0; n < days.length; n += 1) {
      const slice = days[n]?.get(id);
      if (slice === undefined) continue;
      filled = put(filled, firstDay + n, slice.pieces);
      for (const hold of slice.holds) {
        if (hold.until <= now) continue;
        held.push(hold.start, hold.end);
        if (hold.until < until) until = hold.until;
      }
    }
    const list = listOf(filled);
    busy.set(id, held.length === 0 ? list : covered([...list, ...held]));
    if (held.length > 0) ends.set(id, until);
  }
  return { days, busy, ends };
}

/**
 * The same, where another moment of these days was put together before: what is equal is taken from there, whoever asked for it, and
 * what was there of others stays as long as it is true.
 */
export function rejoined(
  before: Joined,
  days: readonly Slices[],
  firstDay: number,
  subjects: readonly string[],
  now: number,
): Joined {
  const other = days.flatMap((day, n) => (day === before.days[n] ? [] : n));
  // Holds come and go by the clock.
  const isBooked = (slice: Slice | undefined): boolean => slice !== undefined && slice.holds.length === 0;
  const stands = (id: string): boolean =>
    before.busy.has(id) &&
    (before.ends.get(id) ?? Number.POSITIVE_INFINITY) > now &&
    other.every((n) => {
      const [was, is] = [before.days[n]?.get(id), days[n]?.get(id)];
      return isBooked(was) && isBooked(is) && was?.pieces === is?.pieces;
    });
  const changed = subjects.filter((id) => !stands(id));
  if (other.length === 0 && changed.length === 0) return before;
  const standing = [...before.busy.keys()].filter(stands);
  const { busy, ends } = joined(days, firstDay, changed, now);
  return {
    days,
    busy: new Map([...standing.map((id): [string, Spans] => [id, before.busy.get(id) ?? []]), ...busy]),
    ends: new Map([...[...before.ends].filter(([id]) => !busy.has(id) && stands(id)), ...ends]),
  };
}

/** Of all that was put together what is of these: what keeps each busy, and when a hold among it expires. */
export function ofSubjects(
  { days, busy, ends }: Joined,
  subjects: readonly string[],
): Joined & { until: number | null } {
  const own = new Map<string, number>();
  for (const id of subjects) {
    const until = ends.get(id);
    if (until !== undefined) own.set(id, until);
  }
  const until = own.size === 0 ? null : Math.min(...own.values());
  return { days, busy: new Map(subjects.map((id) => [id, busy.get(id) ?? NONE])), ends: own, until };
}
