import { expect, test } from 'vitest';
import { Looks } from '../../../src/realtime/looks.ts';

/** When a room looks, whose alarm rings exactly when it should. */
function looksOf(events: readonly [at: number, what: 'announced' | 'suspected'][], until: number): number[] {
  const looks = new Looks();
  looks.looked(0);
  const found: number[] = [];
  const queue = [...events];
  for (let now = 0; now <= until; now += 100) {
    while (queue[0] !== undefined && queue[0][0] <= now) looks[queue.shift()?.[1] as 'announced'](now);
    if (!looks.isDue(now)) continue;
    found.push(now);
    looks.looked(now);
  }
  return found;
}

test('once some seconds and once a minute after an announcement', () => {
  expect(looksOf([[1000, 'announced']], 200_000)).toEqual([7000, 61_000]);
});

test('announcements that never cease do not put the look off', () => {
  const all = Array.from({ length: 300 }, (_, n): [number, 'announced'] => [n * 100, 'announced']);
  expect(looksOf(all, 200_000)).toEqual([6000, 12_100, 18_200, 24_300, 30_400, 89_900]);
});

test('a suspicion is looked into in a moment', () => {
  expect(looksOf([[1000, 'suspected']], 200_000)).toEqual([2500]);
  expect(
    looksOf(
      [
        [1000, 'announced'],
        [2000, 'suspected'],
      ],
      200_000,
    ),
  ).toEqual([3500, 61_000]);
});

test('a room that was evicted looks once for certain', () => {
  const looks = new Looks();
  expect(looks.isDue(5)).toBe(true);
  looks.looked(5);
  expect([looks.isDue(6), looks.next()]).toEqual([false, null]);
});

test('what was announced during a look is looked for again', () => {
  const looks = new Looks();
  looks.announced(1000);
  looks.announced(7100);
  looks.looked(7000);
  expect(looks.next()).toBe(67_100);
  looks.announced(7200);
  expect(looks.next()).toBe(13_200);
});
