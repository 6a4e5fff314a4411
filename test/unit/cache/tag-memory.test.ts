import { expect, test } from 'vitest';
import { incarnationOf } from '../../../src/data/pulse.ts';
import { readTagRow, TagMemory, tagFields } from '../../../src/data/tags.ts';

const row = (head: number, values: number[], floor = 0, epoch = '0190-a', incarnation = `i-${epoch}`) => {
  return { epoch, incarnation, head, floor, values };
};
const life = (incarnation: string, head: number, values: number[], floor = 0) =>
  row(head, values, floor, '0190-a', incarnation);

test('a reading is used until it is older than allowed, counted from Redis', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(5, [3]), 1000);
  expect(memory.fresh('c', ['clients'], 3000, 2000)).toMatchObject({ head: 5, values: [3], at: 1000 });
  expect(memory.fresh('c', ['clients'], 3001, 2000)).toBeNull();
});

test('a copy of a reading keeps its age', () => {
  const memory = new TagMemory();
  // Copied at 2900 from the location's cache, read from Redis at 1000.
  memory.learn('c', ['clients'], row(5, [3]), 1000);
  memory.learn('c', ['clients'], row(5, [3]), 1000);
  expect(memory.fresh('c', ['clients'], 3001, 2000)).toBeNull();
});

test('the oldest part of a set decides its age and its head', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(9, [3]), 1000);
  memory.learn('c', ['users'], row(9, [8]), 2000);
  expect(memory.fresh('c', ['clients', 'users'], 2500, 2000)).toMatchObject({ head: 9, values: [3, 8], at: 1000 });
  expect(memory.fresh('c', ['clients', 'users'], 3001, 2000)).toBeNull();
  expect(memory.fresh('c', ['users'], 3001, 2000)).toMatchObject({ head: 9 });
});

test('a reading from before what was seen is none: of another tag, in a snapshot, or by a write of its own', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(5, [3]), 1000);
  memory.learn('c', ['users'], row(9, [8]), 1100);
  expect(memory.fresh('c', ['clients'], 1200, 2000)).toBeNull();
  expect(memory.fresh('c', ['users'], 1200, 2000)).toMatchObject({ head: 9 });
  memory.see('c', '0190-a', 10, 1200);
  expect(memory.fresh('c', ['users'], 1200, 2000)).toBeNull();
  expect(memory.admits('c', row(9, []))).toBe(false);
  expect(memory.admits('c', row(10, []))).toBe(true);
  memory.forget('c');
  expect(memory.admits('c', row(9, []))).toBe(false);
  expect(memory.seen('c')).toEqual({ epoch: '0190-a', revision: 10 });
});

test('a clock that stepped back makes a reading unknown', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(5, [3]), 3_600_000);
  expect(memory.fresh('c', ['clients'], 3_600_000, 2000)).not.toBeNull();
  expect(memory.fresh('c', ['clients'], 1000, 2000)).toBeNull();
});

test('a database that goes on under an older epoch is believed once the newer one is unseen for long', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(9, [8], 6, '0190-b'), 1000);
  memory.see('c', '0190-a', 4, 2000);
  expect(memory.seen('c')).toEqual({ epoch: '0190-b', revision: 9 });
  memory.see('c', '0190-a', 5, 12_000);
  expect(memory.seen('c')).toEqual({ epoch: '0190-a', revision: 5 });
  memory.learn('c', ['clients'], row(5, [5], 4), 12_100);
  expect(memory.fresh('c', ['clients'], 12_100, 2000)).toMatchObject({ epoch: '0190-a', head: 5 });
});

test('the companies used last stay within the weight', () => {
  const memory = new TagMemory(30_000);
  for (let i = 0; i < 50; i += 1) memory.learn(`c${i}`, ['clients', 'users'], row(5, [3, 3]), 1000);
  expect(memory.fresh('c0', ['clients'], 1000, 2000)).toBeNull();
  expect(memory.fresh('c49', ['clients'], 1000, 2000)).not.toBeNull();
  expect(memory.fresh('c45', ['clients'], 1000, 2000)).not.toBeNull();
});

test('a room is asked about one company once in a while, a reading renewed by one at a time', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(5, [3]), 1000);
  expect([1000, 1001, 5000, 6001].map((now) => memory.suspects('c', now))).toEqual([true, false, false, true]);
  expect([1500, 2000, 2001, 3001].map((now) => memory.renews('c', 1000, now, 1000))).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

test('an unknown tag or company is unknown, not zero', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(5, [0]), 1000);
  expect(memory.fresh('c', ['users'], 1000, 2000)).toBeNull();
  expect(memory.fresh('d', [], 1000, 2000)).toBeNull();
});

test('answers out of order never lower a floor, a tag or an age', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(9, [8], 6), 2000);
  memory.learn('c', ['clients'], row(5, [3], 0), 1900);
  expect(memory.fresh('c', ['clients'], 2000, 2000)).toMatchObject({ head: 9, floor: 6, values: [8], at: 2000 });
});

test('a newer epoch starts over, an older one is ignored', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(9, [8], 6), 2000);
  memory.learn('c', ['clients'], row(4, [2], 4, '0190-b'), 2100);
  expect(memory.fresh('c', ['clients'], 2100, 2000)).toMatchObject({ epoch: '0190-b', head: 4, floor: 4, values: [2] });
  memory.learn('c', ['clients'], row(10, [10], 6), 2200);
  expect(memory.fresh('c', ['clients'], 2200, 2000)).toMatchObject({ epoch: '0190-b', head: 4 });
});

test('a younger reading of another incarnation starts over: nothing of the old one is left, though its numbers were higher', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients', 'users'], life('i1', 10, [10, 4], 6), 2000);
  memory.learn('c', ['clients'], life('i2', 9, [9], 8), 2100);
  // Its head is from before what was seen.
  expect(memory.fresh('c', ['clients'], 2100, 2000)).toBeNull();
  memory.learn('c', ['clients'], life('i2', 11, [9], 8), 2100);
  const known = { incarnation: 'i2', head: 11, floor: 8, values: [9], at: 2100 };
  expect(memory.fresh('c', ['clients'], 2100, 2000)).toMatchObject(known);
  expect(memory.fresh('c', ['clients', 'users'], 2100, 2000)).toBeNull();
});

test('an older reading of another incarnation is not mixed in, though its numbers are higher', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], life('i2', 9, [9], 8), 2100);
  // A slow answer, or a location's copy, of the state that was lost.
  memory.learn('c', ['clients', 'users'], life('i1', 10, [10, 4], 9), 2000);
  const known = { incarnation: 'i2', head: 9, floor: 8, values: [9], at: 2100 };
  expect(memory.fresh('c', ['clients'], 2100, 2000)).toMatchObject(known);
  expect(memory.fresh('c', ['users'], 2100, 2000)).toBeNull();
});

test('the younger reading is the youngest of any tag', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], life('i2', 9, [9]), 1000);
  memory.learn('c', ['users'], life('i2', 9, [9]), 2000);
  memory.learn('c', ['clients'], life('i1', 10, [10]), 1500);
  expect(memory.fresh('c', ['clients'], 2000, 2000)).toMatchObject({ incarnation: 'i2', values: [9] });
});

test('a newer epoch wins over a younger reading of the older one', () => {
  const memory = new TagMemory();
  memory.learn('c', ['clients'], row(9, [8], 6), 2000);
  memory.learn('c', ['clients'], row(4, [2], 4, '0190-b'), 1900);
  expect(memory.fresh('c', ['clients'], 2000, 2000)).toMatchObject({ epoch: '0190-b', at: 1900 });
});

test('the newest revision seen outlives the incarnation it was seen in, but not the epoch', () => {
  const memory = new TagMemory();
  expect(memory.newest('c')).toBe(0);
  memory.learn('c', ['clients'], life('i1', 10, [10]), 2000);
  memory.learn('c', ['clients'], life('i2', 9, [9]), 2100);
  expect(memory.newest('c')).toBe(10);
  memory.learn('c', ['clients'], life('i2', 12, [9]), 2200);
  expect(memory.newest('c')).toBe(12);
  memory.learn('c', ['clients'], row(4, [2], 4, '0190-b'), 2300);
  expect(memory.newest('c')).toBe(4);
});

test('what Redis answers is read by position; state without an incarnation is no state', () => {
  expect(tagFields(['users'])).toEqual(['epoch', 'head', 'floor', 'incarnation', 't:users']);
  expect(readTagRow(['e', '5', '2', 'i1', null], ['users'], 'e1')).toEqual(
    row(5, [0], 2, 'e', incarnationOf('i1', 'e1')),
  );
  expect(readTagRow(['e', '5', '2', null, '4'], ['users'], 'e1')).toBeNull();
  expect(readTagRow([null, null, null, null, null], ['users'], 'e1')).toBeNull();
  expect(() => readTagRow(['e', '5', '2', '4'], ['users'], 'e1')).toThrow('shape');
});
