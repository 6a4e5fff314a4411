import { afterEach, expect, test, vi } from 'vitest';
import { LONGEST_STALL, openExport, pieceByPiece } from '../../../src/resources/open-exports.ts';

afterEach(() => void vi.useRealTimers());

const piece = { bytes: new Uint8Array([1]), last: false };

test('a company has eight exports open, all together 24; one that is closed makes room, once', () => {
  const own = Array.from({ length: 8 }, () => openExport('a'));
  expect(() => openExport('a')).toThrow(/exports/);
  own[0]?.();
  own[0]?.();
  own.push(openExport('a'));
  expect(() => openExport('a')).toThrow(/exports/);
  const others = Array.from({ length: 16 }, (_, i) => openExport(`b${i}`));
  expect(() => openExport('c')).toThrow(/exports/);
  for (const close of [...own, ...others]) close();
  openExport('c')();
});

test('who takes nothing for long is cut off, at the beginning or in the middle', async () => {
  vi.useFakeTimers();
  for (const taken of [0, 1]) {
    const closed = vi.fn();
    const reader = pieceByPiece(async () => piece, closed).getReader();
    for (let i = 0; i < taken; i += 1) expect((await reader.read()).value).toEqual(piece.bytes);
    vi.advanceTimersByTime(LONGEST_STALL - 1);
    expect(closed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(closed).toHaveBeenCalledTimes(1);
    await expect(reader.read()).rejects.toThrow('not read');
  }
});

test('it is closed once, when all is taken, the reader leaves or a read fails', async () => {
  const closed = vi.fn();
  const all = pieceByPiece(async () => ({ ...piece, last: true }), closed).getReader();
  expect([(await all.read()).done, (await all.read()).done]).toEqual([false, true]);
  expect(closed).toHaveBeenCalledTimes(1);
  await pieceByPiece(async () => piece, closed).cancel();
  expect(closed).toHaveBeenCalledTimes(2);
  const failing = pieceByPiece(() => Promise.reject(new Error('away')), closed).getReader();
  await expect(failing.read()).rejects.toThrow('away');
  expect(closed).toHaveBeenCalledTimes(3);
});
