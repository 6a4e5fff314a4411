import { AppError } from '../core/errors.ts';

/** After so long without taking anything a reader yields, when a company that has no place wants theirs, ms. */
export const YIELDS_AFTER = 10_000;
/** How often an answer that nobody reads looks whether its place is wanted, ms: nothing of another request can end it. */
const TICK = 1000;
/** Beyond its longest stall, ms: then a request has ended without a word, and its place is free. */
const GONE = 60_000;

/** What an isolate keeps for readers: in all, of one company, and for how long of one who takes nothing, ms. */
export type Room = { all: number; ofOne: number; stall: number; refusal: string };

/** An answer that somebody reads. Plain data: the isolate keeps it beyond its request. */
export type Seat = {
  readonly companyId: string;
  readonly weight: number;
  /** Since when its reader has taken nothing, or a piece is being made for it, ms. */
  since: number;
  isIdle: boolean;
  /** Its place was given to somebody else. */
  isCalled: boolean;
};

/** The answers that are being read in an isolate. */
export class Seats {
  readonly #taken = new Set<Seat>();
  readonly stall: number;
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
    this.stall = room.stall;
  }

  /**
   * A place for an answer of a company. Its share shrinks with what is free, so that no few of them take all; and a company that has
   * none takes the places of those who read least.
   * @throws AppError busy while too much is being read
   */
  open(companyId: string, now: number, weight: number = 1): Seat {
    const { all, ofOne, stall, refusal } = this.#room;
    for (const seat of this.#taken) if (idleOf(seat, now) > stall + GONE) this.#taken.delete(seat);
    const own = this.#of(companyId);
    const isFair = own === 0 || (own + weight <= ofOne && own < all - this.#sum());
    const fits = (): boolean => this.#sum() + weight <= all;
    while (isFair && !fits() && own === 0 && this.#call(now));
    if (!isFair || !fits()) throw new AppError('busy', refusal, { extra: { retryAfter: 5 } });
    const seat: Seat = { companyId, weight, since: now, isIdle: false, isCalled: false };
    this.#taken.add(seat);
    return seat;
  }

  close(seat: Seat): void {
    this.#taken.delete(seat);
  }

  #of(companyId: string): number {
    let own = 0;
    for (const seat of this.#taken) if (seat.companyId === companyId) own += seat.weight;
    return own;
  }

  #sum(): number {
    let sum = 0;
    for (const { weight } of this.#taken) sum += weight;
    return sum;
  }

  /** Frees the place that was read from longest ago, of those who have most. */
  #call(now: number): boolean {
    let called: { seat: Seat; own: number; idle: number } | null = null;
    for (const seat of this.#taken) {
      const idle = idleOf(seat, now);
      if (!seat.isIdle || idle < YIELDS_AFTER) continue;
      const own = this.#of(seat.companyId);
      if (called === null || own > called.own || (own === called.own && idle > called.idle))
        called = { seat, own, idle };
    }
    if (called === null) return false;
    called.seat.isCalled = true;
    return this.#taken.delete(called.seat);
  }
}

/** Either way: a clock that stepped back keeps nobody. */
const idleOf = ({ since }: Seat, now: number): number => Math.abs(now - since);

/** How an answer is read: at its place, until it is `closed`, which is told once, with what went wrong. */
export type Reading = { seats: Seats; seat: Seat; now: () => number; closed: (error?: unknown) => void };

/**
 * Pieces as a stream, made when the reader takes them; a reader who takes none for long, or whose place is wanted, is cut off.
 * @param next the next piece, and whether it is the last
 */
export function pieceByPiece(
  { seats, seat, now, closed }: Reading,
  next: () => Promise<Piece> | Piece,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  let isOver = false;
  const over = (error?: unknown): void => {
    clearInterval(timer);
    if (isOver) return;
    isOver = true;
    seats.close(seat);
    closed(error);
  };
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    [seat.since, seat.isIdle] = [now(), true];
    timer = setInterval(() => {
      if (!seat.isCalled && idleOf(seat, now()) < seats.stall) return;
      const late = new AppError('busy', 'The answer was not read.');
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
        [seat.since, seat.isIdle] = [now(), false];
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

export type Piece = { bytes: Uint8Array; last: boolean };
