import { DAY_MINUTES } from '../core/civil.ts';
import type { Times } from './catalogue.ts';
import { covered, type Spans } from './spans.ts';

// What is busy, in slices: one of a staff member or resource and a day of UTC, so that a booking spoils those of its days.

/** A hold among it: in nobody's way from `until` on, ms since 1970. */
type Held = { until: number; start: number; end: number };

/** What keeps one busy on one day, cut to it, as of a revision. */
export type Slice = { revision: number; busy: Spans; holds: readonly Held[] };

/** The slices of one day of UTC, by the id of whom or what they are of. */
export type Slices = ReadonlyMap<string, Slice>;

/** Of whom, and of bookings and of each hold: start and length of each stretch, as `app.busy` tells them. */
export type BusyRow = [id: string, pieces: string | null, held: [until: number, pieces: string][] | null];

const NONE: readonly never[] = [];

/** All that was read, whole; `until`: when a hold among it expires. */
export function busyOf(rows: readonly BusyRow[]): { busy: Times; until: number | null } {
  const busy = new Map<string, number[]>();
  let until = Number.POSITIVE_INFINITY;
  for (const [id, pieces, held] of rows) {
    const list = busy.get(id) ?? [];
    busy.set(id, list);
    for (const text of [pieces ?? '', ...(held ?? []).map(([, its]) => its)]) {
      const numbers = numbersIn(text);
      for (let i = 0; i < numbers.length; i += 2) list.push(numbers[i] ?? 0, (numbers[i] ?? 0) + (numbers[i + 1] ?? 0));
    }
    for (const [expires] of held ?? []) until = Math.min(until, expires);
  }
  return { busy, until: until === Number.POSITIVE_INFINITY ? null : until };
}

const numbersIn = (text: string): number[] => JSON.parse(`[${text}]`);

/** Start and end of each stretch, day by day of those that are asked for. */
function cut(text: string, wanted: ReadonlySet<number>, put: (day: number, start: number, end: number) => void): void {
  const numbers = numbersIn(text);
  for (let i = 0; i < numbers.length; i += 2) {
    const start = numbers[i] ?? 0;
    const end = start + (numbers[i + 1] ?? 0);
    for (let day = Math.floor(start / DAY_MINUTES); day * DAY_MINUTES < end; day += 1) {
      if (!wanted.has(day)) continue;
      put(day, Math.max(start, day * DAY_MINUTES), Math.min(end, (day + 1) * DAY_MINUTES));
    }
  }
}

/** What was read of these subjects and days, as slices: one of each, also where nothing is busy. */
export function slicesOf(
  rows: readonly BusyRow[],
  subjects: Iterable<string>,
  days: readonly number[],
  revision: number,
): Map<number, Map<string, Slice>> {
  const wanted = new Set(days);
  const busy = new Map(days.map((day) => [day, new Map<string, number[]>()]));
  const holds = new Map(days.map((day) => [day, new Map<string, Held[]>()]));
  const add = <T>(to: Map<string, T[]> | undefined, id: string, ...values: T[]): void => {
    const list = to?.get(id);
    if (list === undefined) to?.set(id, values);
    else list.push(...values);
  };
  for (const [id, pieces, held] of rows) {
    if (pieces !== null) cut(pieces, wanted, (day, start, end) => add(busy.get(day), id, start, end));
    for (const [until, its] of held ?? []) {
      cut(its, wanted, (day, start, end) => add(holds.get(day), id, { until, start, end }));
    }
  }
  const all = [...subjects];
  return new Map(
    days.map((day) => {
      const [taken, kept] = [busy.get(day), holds.get(day)];
      const slice = (id: string): Slice => ({
        revision,
        busy: covered(taken?.get(id) ?? NONE),
        holds: kept?.get(id) ?? NONE,
      });
      return [day, new Map(all.map((id) => [id, slice(id)]))];
    }),
  );
}

/** Days that follow each other, put together for these subjects as of now; `until`: when a hold among them expires. */
export function joined(
  days: readonly Slices[],
  subjects: Iterable<string>,
  now: number,
): { busy: Times; until: number | null } {
  const busy = new Map<string, Spans>();
  let until = Number.POSITIVE_INFINITY;
  for (const id of subjects) {
    const list: number[] = [];
    const held: number[] = [];
    for (const day of days) {
      const slice = day.get(id);
      if (slice === undefined) continue;
      let from = 0;
      // One that goes on over midnight was cut there.
      if (slice.busy.length > 0 && list.at(-1) === slice.busy[0]) {
        list.pop();
        from = 1;
      }
      for (let i = from; i < slice.busy.length; i += 1) list.push(slice.busy[i] ?? 0);
      for (const hold of slice.holds) {
        if (hold.until <= now) continue;
        held.push(hold.start, hold.end);
        if (hold.until < until) until = hold.until;
      }
    }
    busy.set(id, held.length === 0 ? list : covered([...list, ...held]));
  }
  return { busy, until: until === Number.POSITIVE_INFINITY ? null : until };
}
