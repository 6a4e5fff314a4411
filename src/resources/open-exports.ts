import { AppError } from '../core/errors.ts';

/** Exports that may be open at a time in an isolate: of one company, and of all. Each keeps a piece of a megabyte at hand. */
const MOST_OF_ONE = 8;
const MOST_OF_ALL = 24;

/** Whoever takes nothing of an export for so long is let go, ms; and after so long, when a company that has none wants its place. */
export const LONGEST_STALL = 120_000;
export const YIELDS_AFTER = 10_000;
/** How often an export that nobody reads looks whether its place is wanted, ms: nothing of another request can end it. */
const TICK = 1000;

/** An export that is open. Plain data: the isolate keeps it beyond its request. */
export type Seat = {
  readonly companyId: string;
  /** Since when its reader has taken nothing, ms; null while a piece is being read. */
  idle: number | null;
  /** Its place was given to somebody else. */
  isCalled: boolean;
};

/** The exports that are open in an isolate. */
export class Seats {
  readonly #taken = new Set<Seat>();

  /**
   * Opens an export of a company. Its share shrinks with what is free, so that no few of them take all; and a company that has none
   * takes the place of whoever reads least.
   * @throws AppError busy while too many are open
   */
  open(companyId: string, now: number): Seat {
    const own = this.#of(companyId);
    const free = MOST_OF_ALL - this.#taken.size;
    if (own >= MOST_OF_ONE || (own > 0 && own >= free) || (free <= 0 && !this.#call(now))) {
      throw new AppError('busy', 'Many exports are being read. Try again when one of them is done.', {
        extra: { retryAfter: 5 },
      });
    }
    const seat: Seat = { companyId, idle: null, isCalled: false };
    this.#taken.add(seat);
    return seat;
  }

  close(seat: Seat): void {
    this.#taken.delete(seat);
  }

  #of(companyId: string): number {
    let own = 0;
    for (const seat of this.#taken) if (seat.companyId === companyId) own += 1;
    return own;
  }

  /** Frees the place that was read from longest ago, of those who have most. */
  #call(now: number): boolean {
    let called: { seat: Seat; own: number; idle: number } | null = null;
    for (const seat of this.#taken) {
      // Either way: a clock that stepped back keeps nobody.
      const idle = seat.idle === null ? 0 : Math.abs(now - seat.idle);
      if (idle < YIELDS_AFTER) continue;
      const own = this.#of(seat.companyId);
      if (called === null || own > called.own || (own === called.own && idle > called.idle))
        called = { seat, own, idle };
    }
    if (called === null) return false;
    called.seat.isCalled = true;
    return this.#taken.delete(called.seat);
  }
}

export const seats = new Seats();

/**
 * Pieces as a stream, made when the reader takes them; a reader who takes none for long, or whose place is wanted, is cut off.
 * @param next the next piece, and whether it is the last
 * @param closed told once, with what went wrong
 */
export function pieceByPiece(
  seat: Seat,
  now: () => number,
  next: () => Promise<{ bytes: Uint8Array; last: boolean }>,
  closed: (error?: unknown) => void,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  let isOver = false;
  const over = (error?: unknown): void => {
    clearInterval(timer);
    if (isOver) return;
    isOver = true;
    closed(error);
  };
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const since = now();
    seat.idle = since;
    timer = setInterval(() => {
      if (!seat.isCalled && Math.abs(now() - since) < LONGEST_STALL) return;
      const late = new AppError('busy', 'The export was not read.');
      over(late);
      controller.error(late);
    }, TICK);
  };
  // Nothing is read ahead: the caller's pace is the database's.
  return new ReadableStream(
    {
      start: wait,
      async pull(controller) {
        clearInterval(timer);
        seat.idle = null;
        try {
          const { bytes, last } = await next();
          if (isOver) return;
          controller.enqueue(bytes);
          if (!last) return wait(controller);
          controller.close();
          over();
        } catch (error) {
          over(error);
          controller.error(error);
        }
      },
      cancel: () => over(),
    },
    { highWaterMark: 0 },
  );
}
