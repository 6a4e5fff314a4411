import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LONGEST_STALL, pieceByPiece, type Seat, Seats, YIELDS_AFTER } from '../../../src/resources/open-exports.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const piece = { bytes: new Uint8Array([1]), last: false };
const now = (): number => Date.now();
const seat = (): Seat => ({ companyId: 'a', idle: 0, isCalled: false });

/** Opens for a company as many as it gets. */
function grab(seats: Seats, companyId: string): Seat[] {
  const own: Seat[] = [];
  try {
    for (;;) own.push(seats.open(companyId, now()));
  } catch {
    return own;
  }
}

test('a company has eight exports open; one that is closed makes room, once', () => {
  const seats = new Seats();
  const own = grab(seats, 'a');
  expect(own).toHaveLength(8);
  for (const _ of [1, 2]) seats.close(own[0] as Seat);
  expect(grab(seats, 'a')).toHaveLength(1);
});

test('what is free shrinks the share of each: three companies that take all they can leave places to a fourth, and a fifth', () => {
  const seats = new Seats();
  expect(['a', 'b', 'c', 'd', 'e'].map((company) => grab(seats, company).length)).toEqual([8, 8, 4, 2, 1]);
});

test('where none is free, a company that has none takes the place of one who does not read, of those that have most', () => {
  const seats = new Seats();
  const taken = [...'abcdef'].flatMap((company) => grab(seats, company));
  expect(taken).toHaveLength(24);
  expect(() => seats.open('z', now())).toThrow(/exports/);
  for (const unread of taken) unread.idle = now();
  vi.advanceTimersByTime(YIELDS_AFTER - 1);
  expect(() => seats.open('z', now())).toThrow(/exports/);
  vi.advanceTimersByTime(1);
  // One of the first company's reads; so does all of the second's.
  (taken[0] as Seat).idle = now();
  for (const reading of taken.slice(8, 16)) reading.idle = null;
  const own = seats.open('z', now());
  expect(taken.flatMap(({ isCalled }, i) => (isCalled ? [i] : []))).toEqual([1]);
  // Who has one already takes nobody's.
  expect(() => seats.open('z', now())).toThrow(/exports/);
  seats.close(own);
  seats.open('y', now());
});

test('whose place is wanted is cut off within a second, who takes nothing for long is so in any case', async () => {
  for (const taken of [0, 1]) {
    for (const isWanted of [true, false]) {
      const own = seat();
      const closed = vi.fn();
      const reader = pieceByPiece(own, now, async () => piece, closed).getReader();
      for (let i = 0; i < taken; i += 1) expect((await reader.read()).value).toEqual(piece.bytes);
      vi.advanceTimersByTime(LONGEST_STALL - 1000);
      expect(closed).not.toHaveBeenCalled();
      if (isWanted) {
        own.isCalled = true;
        vi.advanceTimersByTime(999);
        expect(closed).not.toHaveBeenCalled();
      }
      vi.advanceTimersByTime(1000);
      expect(closed).toHaveBeenCalledTimes(1);
      await expect(reader.read()).rejects.toThrow('not read');
    }
  }
});

test('it is closed once, when all is taken, the reader leaves or a read fails', async () => {
  const closed = vi.fn();
  const all = pieceByPiece(seat(), now, async () => ({ ...piece, last: true }), closed).getReader();
  expect([(await all.read()).done, (await all.read()).done]).toEqual([false, true]);
  expect(closed).toHaveBeenCalledTimes(1);
  await pieceByPiece(seat(), now, async () => piece, closed).cancel();
  expect(closed).toHaveBeenCalledTimes(2);
  const failing = pieceByPiece(seat(), now, () => Promise.reject(new Error('away')), closed).getReader();
  await expect(failing.read()).rejects.toThrow('away');
  expect(closed).toHaveBeenCalledTimes(3);
});
