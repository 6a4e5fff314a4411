import { expect, test } from 'vitest';
import { type BusyRow, busyOf, joined, slicesOf } from '../../../src/calendar/busy-slices.ts';

const DAY = 1440;
const NOW = 1_000_000;
/** Day 10 to 12 as it was read at a revision. */
const read = (rows: readonly BusyRow[], subjects = ['ann', 'ben'], days = [10, 11, 12]) =>
  slicesOf(rows, subjects, days, 7);

test('what goes over midnight is cut into its days, and one again where they are put together', () => {
  const slices = read([['ann', `${11 * DAY - 30},60,${11 * DAY + 600},30`, null]]);
  expect(slices.get(10)?.get('ann')?.busy).toEqual([11 * DAY - 30, 11 * DAY]);
  expect(slices.get(11)?.get('ann')?.busy).toEqual([11 * DAY, 11 * DAY + 30, 11 * DAY + 600, 11 * DAY + 630]);
  const { busy, until } = joined([...slices.values()], ['ann', 'ben'], NOW);
  expect(busy.get('ann')).toEqual([11 * DAY - 30, 11 * DAY + 30, 11 * DAY + 600, 11 * DAY + 630]);
  expect([busy.get('ben'), until]).toEqual([[], null]);
});

test('of days that were not asked for nothing is kept, and of whom nothing keeps busy that is known too', () => {
  const slices = read([['ann', `${9 * DAY + 60},60,${13 * DAY},60`, null]]);
  expect([...slices.keys()]).toEqual([10, 11, 12]);
  for (const day of slices.values()) {
    expect(day.get('ann')).toEqual({ revision: 7, busy: [], holds: [] });
    expect(day.get('ben')).toEqual({ revision: 7, busy: [], holds: [] });
  }
});

test('pieces in any order, told twice or within the processing of others, are one set', () => {
  const at = 11 * DAY;
  const rows: BusyRow[] = [
    ['ann', `${at + 60},10,${at + 80},10,${at},20,${at + 70},10`, null],
    ['ann', `${at},20`, null],
  ];
  expect(read(rows).get(11)?.get('ann')?.busy).toEqual([at, at + 20, at + 60, at + 90]);
});

test('a hold counts until it expires, on its days alone, and says when what it is part of ends', () => {
  const at = 11 * DAY;
  const slices = read([
    [
      'ann',
      `${at},20`,
      [
        [NOW + 5, `${at + 10},30`],
        [NOW + 9, `${at + 60},10`],
      ],
    ],
  ]);
  const days = [...slices.values()];
  const of = (now: number) => joined(days, ['ann'], now);
  expect(of(NOW)).toEqual({ busy: new Map([['ann', [at, at + 40, at + 60, at + 70]]]), until: NOW + 5 });
  expect(of(NOW + 5)).toEqual({ busy: new Map([['ann', [at, at + 20, at + 60, at + 70]]]), until: NOW + 9 });
  expect(of(NOW + 9)).toEqual({ busy: new Map([['ann', [at, at + 20]]]), until: null });
  expect(slices.get(10)?.get('ann')?.holds).toEqual([]);
});

test('read whole, bookings and holds stand side by side', () => {
  expect(
    busyOf([
      ['ann', '100,20', [[NOW, '130,10']]],
      ['ann', '300,5', null],
      ['ben', null, [[NOW + 1, '7,1']]],
    ]),
  ).toEqual({
    busy: new Map([
      ['ann', [100, 120, 130, 140, 300, 305]],
      ['ben', [7, 8]],
    ]),
    until: NOW,
  });
});
