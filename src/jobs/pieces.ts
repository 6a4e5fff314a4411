import { AppError } from '../core/errors.ts';

/** What a piece did: how many rows went, and whether there is more to do. */
export type Piece = { gone: number; more: boolean };

/** Work that is done in pieces of one short transaction each, from where the last one stopped. */
export type Pieces = {
  /** Rows of a piece at most, and of one that has been made smaller as often as is worth it. */
  most: number;
  least: number;
  /** Does the next piece. @throws AppError when it took too long, or something it needed was held */
  piece(size: number): Promise<Piece>;
  /** Goes past what even the smallest piece cannot do; absent: the rest waits for the next time. */
  skip?(): Promise<Piece>;
};

export type Outcome = { gone: number; skipped: number; finished: boolean };

/** Failures after which the rest is left for another time: each may have taken the longest a statement may. */
const MOST_FAILURES = 6;

/**
 * Works off pieces while `left` allows. A piece that fails is tried a quarter as large, and at last gone past, so that the
 * same piece is never all that is done; after one that went well the next may be larger again.
 */
export async function workOff(work: Pieces, left: () => boolean): Promise<Outcome> {
  const outcome: Outcome = { gone: 0, skipped: 0, finished: false };
  let size = work.most;
  let failures = 0;
  while (failures < MOST_FAILURES && left()) {
    const done = await tried(() => work.piece(size));
    if (done !== null) {
      outcome.gone += done.gone;
      size = Math.min(work.most, size * 2);
      if (!done.more) return { ...outcome, finished: true };
      continue;
    }
    failures += 1;
    if (size > work.least) {
      size = Math.max(work.least, size >> 2);
      continue;
    }
    outcome.skipped += 1;
    const passed = await tried(async () => (await work.skip?.()) ?? { gone: 0, more: false });
    if (passed?.more === false) return { ...outcome, finished: true };
  }
  return outcome;
}

/** Null when it failed for a reason of the moment. */
async function tried(work: () => Promise<Piece>): Promise<Piece | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code !== 'internal_error') return null;
    throw error;
  }
}
