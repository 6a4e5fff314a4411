import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { type Pieces, workOff } from '../../../src/jobs/pieces.ts';

const busy = (): never => {
  throw new AppError('busy');
};
const always = (): boolean => true;

/** Companies with so many rows each; one of them cannot be worked on in pieces above a size. */
function companies(rows: number[], stuck: { at: number; above: number } | null = null) {
  let at = 0;
  const sizes: number[] = [];
  const work: Pieces = {
    most: 1000,
    least: 20,
    async piece(size) {
      sizes.push(size);
      if (stuck !== null && at === stuck.at && (rows[at] ?? 0) > 0 && size > stuck.above) busy();
      const gone = Math.min(size, rows[at] ?? 0);
      rows[at] = (rows[at] ?? 0) - gone;
      at = (at + 1) % rows.length;
      return { gone, more: rows.some((left) => left > 0) };
    },
    async skip() {
      rows[at] = 0;
      at = (at + 1) % rows.length;
      return { gone: 0, more: rows.some((left) => left > 0) };
    },
  };
  return { work, sizes };
}

describe('work in pieces', () => {
  test('goes on until nothing is left', async () => {
    expect(await workOff(companies([1500, 10, 0, 300]).work, always)).toEqual({
      gone: 1810,
      skipped: 0,
      finished: true,
    });
  });

  test('a piece that takes too long is made smaller, and the next may be larger again', async () => {
    const { work, sizes } = companies([100, 100, 3000], { at: 0, above: 100 });
    expect(await workOff(work, always)).toMatchObject({ gone: 3200, skipped: 0, finished: true });
    expect(sizes.slice(0, 5)).toEqual([1000, 250, 62, 124, 248]);
  });

  test('what even the smallest piece cannot do is gone past, and the others have theirs', async () => {
    const { work } = companies([100, 5000, 100], { at: 1, above: 0 });
    expect(await workOff(work, always)).toEqual({ gone: 200, skipped: 1, finished: true });
  });

  test('without a way past, the rest waits for the next time', async () => {
    const sizes: number[] = [];
    const work: Pieces = {
      most: 50,
      least: 1,
      async piece(size) {
        sizes.push(size);
        return busy();
      },
    };
    expect(await workOff(work, always)).toEqual({ gone: 0, skipped: 1, finished: true });
    expect(sizes).toEqual([50, 12, 3, 1]);
  });

  test('ends when its budget does, after some failures, and at once for a fault of ours', async () => {
    let left = 3;
    const { work } = companies([100_000]);
    expect(await workOff(work, () => left-- > 0)).toEqual({ gone: 3000, skipped: 0, finished: false });
    const stuck: Pieces = {
      most: 20,
      least: 20,
      piece: async () => busy(),
      skip: async () => ({ gone: 0, more: true }),
    };
    expect(await workOff(stuck, always)).toEqual({ gone: 0, skipped: 6, finished: false });
    const broken: Pieces = { ...stuck, piece: () => Promise.reject(new AppError('internal_error')) };
    await expect(workOff(broken, always)).rejects.toThrow();
  });
});
