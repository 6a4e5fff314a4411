import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pieceByPiece, type Seat, Seats, YIELDS_AFTER } from '../../../src/http/slow-readers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const STALL = 120_000;
const piece = { bytes: new Uint8Array([1]), last: false };
const now = (): number => Date.now();
const room = (): Seats => new Seats({ all: 24, ofOne: 8, stall: STALL, refusal: 'Many are being read.' });

/** Opens for a company as many as it gets. */
function grab(seats: Seats, companyId: string, weight?: number): Seat[] {
  const own: Seat[] = [];
  try {
    for (;;) own.push(seats.open(companyId, now(), weight));
  } catch {
    return own;
  }
}

const reading = (closed = vi.fn()) => {
  const seats = room();
  return { seats, seat: seats.open('a', now()), now, closed };
};

test('a company has eight open; one that is closed makes room, once', () => {
  const seats = room();
  const own = grab(seats, 'a');
  expect(own).toHaveLength(8);
  for (const _ of [1, 2]) seats.close(own[0] as Seat);
  expect(grab(seats, 'a')).toHaveLength(1);
});

test('what is free shrinks the share of each: three companies that take all they can leave places to a fourth, and a fifth', () => {
  const seats = room();
  expect(['a', 'b', 'c', 'd', 'e'].map((company) => grab(seats, company).length)).toEqual([8, 8, 4, 2, 1]);
});

test('where none is free, a company that has none takes the place of one who does not read, of those that have most', () => {
  const seats = room();
  const taken = [...'abcdef'].flatMap((company) => grab(seats, company));
  expect(taken).toHaveLength(24);
  expect(() => seats.open('z', now())).toThrow('Many');
  for (const unread of taken) unread.isIdle = true;
  vi.advanceTimersByTime(YIELDS_AFTER - 1);
  expect(() => seats.open('z', now())).toThrow('Many');
  vi.advanceTimersByTime(1);
  // One of the first company's reads; for all of the second's a piece is being made.
  (taken[0] as Seat).since = now();
  for (const each of taken.slice(8, 16)) each.isIdle = false;
  const own = seats.open('z', now());
  expect(taken.flatMap(({ isCalled }, i) => (isCalled ? [i] : []))).toEqual([1]);
  // Who has one already takes nobody's.
  expect(() => seats.open('z', now())).toThrow('Many');
  seats.close(own);
  seats.open('y', now());
});

test('what weighs more takes as many places as it needs, and one that is as heavy as a share is taken alone', () => {
  const seats = room();
  expect(grab(seats, 'a', 8)).toHaveLength(1);
  const others = [...grab(seats, 'b', 3), ...grab(seats, 'c', 3)];
  expect(others).toHaveLength(4);
  for (const unread of others) unread.isIdle = true;
  vi.advanceTimersByTime(YIELDS_AFTER);
  seats.open('z', now(), 8);
  expect(others.filter(({ isCalled }) => isCalled)).toHaveLength(2);
});

test('a request that ended without a word keeps no place for ever', () => {
  const seats = room();
  expect(grab(seats, 'a')).toHaveLength(8);
  vi.advanceTimersByTime(STALL + 60_000);
  expect(grab(seats, 'a')).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(grab(seats, 'a')).toHaveLength(8);
});

test('whose place is wanted is cut off within a second, who takes nothing for long is so in any case', async () => {
  for (const taken of [0, 1]) {
    for (const isWanted of [true, false]) {
      const own = reading();
      const reader = pieceByPiece(own, async () => piece).getReader();
      for (let i = 0; i < taken; i += 1) expect((await reader.read()).value).toEqual(piece.bytes);
      vi.advanceTimersByTime(STALL - 1000);
      expect(own.closed).not.toHaveBeenCalled();
      if (isWanted) {
        own.seat.isCalled = true;
        vi.advanceTimersByTime(999);
        expect(own.closed).not.toHaveBeenCalled();
      }
      vi.advanceTimersByTime(1000);
      expect(own.closed).toHaveBeenCalledTimes(1);
      await expect(reader.read()).rejects.toThrow('not read');
    }
  }
});

test('it is closed once and its place free, when all is taken, the reader leaves or a read fails', async () => {
  const ended: ((own: ReturnType<typeof reading>) => Promise<unknown>)[] = [
    async (own) => {
      const all = pieceByPiece(own, () => ({ ...piece, last: true })).getReader();
      expect([(await all.read()).done, (await all.read()).done]).toEqual([false, true]);
    },
    (own) => pieceByPiece(own, () => piece).cancel(),
    (own) =>
      expect(
        pieceByPiece(own, () => Promise.reject(new Error('away')))
          .getReader()
          .read(),
      ).rejects.toThrow('away'),
  ];
  for (const end of ended) {
    const own = reading();
    expect(grab(own.seats, 'a')).toHaveLength(7);
    await end(own);
    expect(own.closed).toHaveBeenCalledTimes(1);
    expect(grab(own.seats, 'a')).toHaveLength(1);
  }
});
