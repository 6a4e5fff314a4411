import { expect, test } from 'vitest';
import { WeighedMap } from '../../../src/data/weighed.ts';

const WEIGHT = 1000;

/** A map with room for so many entries of one weight, and for no more. */
function mapOf(places: number): { map: WeighedMap<number>; add(name: number): void; has(name: number): boolean } {
  const key = (name: number): string => String(name).padStart(4, '0');
  const map = new WeighedMap<number>((places + 0.5) * (WEIGHT + 150));
  return {
    map,
    add: (name) => map.set(key(name), name, WEIGHT),
    has: (name) => map.get(key(name)) === name,
  };
}

test('what was used is kept for half of all places at least, what was not goes first', () => {
  const { add, has } = mapOf(10);
  for (let name = 0; name < 10; name++) add(name);
  expect(has(0)).toBe(true);
  expect(has(9)).toBe(true);
  for (let name = 10; name < 15; name++) add(name);
  const kept = Array.from({ length: 15 }, (_, name) => name).filter(has);
  expect(kept).toEqual([0, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
});

test('an entry that is asked for again and again is never among those that go', () => {
  const { add, has } = mapOf(10);
  for (let name = 0; name < 1000; name++) {
    add(name);
    expect(has(0)).toBe(true);
  }
});
