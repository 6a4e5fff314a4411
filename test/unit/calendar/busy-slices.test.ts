import { expect, test } from 'vitest';
import {
  type BusyRow,
  busyOf,
  joined,
  ofSubjects,
  rejoined,
  type Slices,
  slicesOf,
} from '../../../src/calendar/busy-slices.ts';

const DAY = 1440;
const NOW = 1_000_000;
const PEOPLE = ['ann', 'ben'];
/** Day 10 to 12 as it was read at a revision. */
const read = (rows: readonly BusyRow[], subjects = PEOPLE, days = [10, 11, 12]) => slicesOf(rows, subjects, days, 7);
const together = (slices: ReadonlyMap<number, Slices>, now = NOW, subjects = PEOPLE) =>
  ofSubjects(joined([...slices.values()], 10, subjects, now), subjects);

/** As app.short_number writes it. */
const short = (n: number): string =>
  n < 44 ? String.fromCharCode(48 + n) : String.fromCharCode(93 + Math.floor((n - 44) / 44), 48 + ((n - 44) % 44));
/** Stretches of a day as app.day_pieces tells them. */
function pieces(...stretches: [start: number, end: number][]): string {
  let last = 0;
  let text = '';
  for (const [start, end] of stretches) {
    text += short(start - last) + short(end - start);
    last = end;
  }
  return text;
}

test('every number of a day is read as it was written', () => {
  for (let n = 1; n <= DAY; n += 1) {
    const before = DAY - n;
    const { busy } = busyOf([['ann', [0], [pieces([before, DAY])], null]]);
    expect(busy.get('ann')).toEqual([before, DAY]);
  }
});

test('what goes over midnight is one where the days are put together', () => {
  const slices = read([['ann', [10, 11], [pieces([DAY - 30, DAY]), pieces([0, 30], [600, 630])], null]]);
  const { busy, until } = together(slices);
  expect(busy.get('ann')).toEqual([11 * DAY - 30, 11 * DAY + 30, 11 * DAY + 600, 11 * DAY + 630]);
  expect([busy.get('ben'), until]).toEqual([[], null]);
});

test('of days that were not asked for nothing is kept, and of whom nothing keeps busy that is known too', () => {
  const slices = read([['ann', [9, 13], [pieces([60, 120]), pieces([0, 60])], [[NOW, `${9 * DAY},60`]]]]);
  expect([...slices.keys()]).toEqual([10, 11, 12]);
  for (const day of slices.values())
    for (const who of PEOPLE) expect(day.get(who)).toEqual({ revision: 7, pieces: '', holds: [] });
});

test('a hold counts until it expires, on its days alone, and says when what it is part of ends', () => {
  const at = 11 * DAY;
  const slices = read([
    [
      'ann',
      [11],
      [pieces([0, 20])],
      [
        [NOW + 5, `${at + 10},30`],
        [NOW + 9, `${at + 60},10,${12 * DAY - 5},10`],
      ],
    ],
  ]);
  const of = (now: number) => {
    const { busy, until } = together(slices, now, ['ann']);
    return { busy: busy.get('ann'), until };
  };
  const later = [at + 60, at + 70, at + DAY - 5, at + DAY + 5];
  expect(of(NOW)).toEqual({ busy: [at, at + 40, ...later], until: NOW + 5 });
  expect(of(NOW + 5)).toEqual({ busy: [at, at + 20, ...later], until: NOW + 9 });
  expect(of(NOW + 9)).toEqual({ busy: [at, at + 20], until: null });
  expect(slices.get(10)?.get('ann')?.holds).toEqual([]);
});

test('what was put together before is taken again where it is the same, and only there', () => {
  const ann: BusyRow = ['ann', [10, 11], [pieces([0, 20]), pieces([60, 90])], null];
  const first = together(read([ann, ['ben', [10], [pieces([5, 10])], null]]));
  const again = (rows: readonly BusyRow[], now = NOW, before = first, subjects = PEOPLE) =>
    rejoined(before, [...read(rows, subjects).values()], 10, subjects, now);
  expect(rejoined(first, first.days, 10, PEOPLE, NOW)).toBe(first);
  const other = again([ann, ['ben', [10], [pieces([5, 11])], null]]);
  expect(other.busy.get('ann')).toBe(first.busy.get('ann'));
  expect(other.busy.get('ben')).toEqual([10 * DAY + 5, 10 * DAY + 11]);
  // Who has come since, and holds, which end by the clock.
  expect([...again([ann], NOW, first, ['ann', 'eve']).busy]).toEqual([
    ['ann', first.busy.get('ann')],
    ['eve', []],
  ]);
  const held = again([ann, ['ben', [10], [pieces([5, 10])], [[NOW + 5, `${10 * DAY + 7},10`]]]]);
  expect([held.busy.get('ben'), held.ends.get('ben')]).toEqual([[10 * DAY + 5, 10 * DAY + 17], NOW + 5]);
  expect(held.busy.get('ann')).toBe(first.busy.get('ann'));
  expect(rejoined(held, held.days, 10, PEOPLE, NOW + 4)).toBe(held);
  const over = rejoined(held, held.days, 10, PEOPLE, NOW + 5);
  expect([over.busy.get('ben'), over.ends.size]).toEqual([[10 * DAY + 5, 10 * DAY + 10], 0]);
});

test('what was put together of others stays while it is true, and says nothing of those who are asked for', () => {
  const ann: BusyRow = ['ann', [10], [pieces([0, 20])], null];
  const held: BusyRow = ['ben', [10], [pieces([5, 10])], [[NOW + 5, `${11 * DAY},10`]]];
  const both = together(read([ann, held]));
  const days = both.days;
  // Asked for one, the other is still there; of one, no hold of the other is told.
  const one = rejoined(both, days, 10, ['ann'], NOW + 1);
  expect(one).toBe(both);
  expect(ofSubjects(one, ['ann'])).toMatchObject({ busy: new Map([['ann', [10 * DAY, 10 * DAY + 20]]]), until: null });
  expect(ofSubjects(one, PEOPLE).until).toBe(NOW + 5);
  // A hold of the other that is over takes what was put together of them along, once something is made anew.
  const later = rejoined(both, days, 10, ['ann', 'eve'], NOW + 5);
  expect([...later.busy.keys()].sort()).toEqual(['ann', 'eve']);
  // So does a day that is not known of them any more.
  const [, ...rest] = days;
  const lost = rejoined(both, [read([ann], ['ann']).get(10) ?? new Map(), ...rest], 10, ['ann'], NOW);
  expect([...lost.busy.keys()]).toEqual(['ann']);
});

test('read whole, bookings and holds stand side by side', () => {
  expect(
    busyOf([
      ['ann', [0, 2], [pieces([100, 120]), pieces([0, 5])], [[NOW, '130,10']]],
      ['ben', null, null, [[NOW + 1, '7,1']]],
    ]),
  ).toEqual({
    busy: new Map([
      ['ann', [100, 120, 2 * DAY, 2 * DAY + 5, 130, 140]],
      ['ben', [7, 8]],
    ]),
    until: NOW,
  });
});
