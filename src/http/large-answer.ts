import type { AppContext } from './context.ts';
import { pieceByPiece, type Seat, Seats } from './slow-readers.ts';

const MIB = 1024 * 1024;
/** What a connection holds by itself: such an answer is gone when it is sent. */
const LARGE = MIB / 8;
/** So much of a larger one is given at a time. */
const PIECE = MIB / 4;

/** As large as a page can be. */
const LARGEST = 16 * MIB;

/** Bytes of large answers that wait for their readers: each keeps all that it has. */
const seats = new Seats({
  ...{ all: 2 * LARGEST, ofOne: LARGEST, stall: 30_000 },
  refusal: 'Many large answers are being read. Try again when one of them is done, or ask for fewer rows.',
});

const encoder = new TextEncoder();
const nothing = (): void => undefined;

/**
 * Whether it stays at hand until its reader takes it. HEAD shows nothing of it; what was written is answered whatever is being read,
 * and no body that may be sent makes much of an answer.
 */
export const isLarge = (c: AppContext, body: BodyInit | null): body is string | Uint8Array<ArrayBuffer> =>
  (typeof body === 'string' || body instanceof Uint8Array) && body.length > LARGE && c.req.method === 'GET';

/**
 * A place for an answer that is still to be made, until it is: nobody makes what could not be sent.
 * @throws AppError busy
 */
export const placeFor = (companyId: string, now: number, bytes: number): Seat =>
  seats.open(companyId, now, Math.min(bytes, LARGEST));

export const leavePlace = (seat: Seat): void => seats.close(seat);

/** A large answer as its reader takes it, for as long as there is room for what is left of it. @throws AppError busy */
export function taken(c: AppContext, companyId: string, body: string | Uint8Array<ArrayBuffer>): ReadableStream {
  const { ctx } = c.env;
  const bytes = typeof body === 'string' ? encoder.encode(body) : body;
  const seat = seats.open(companyId, ctx.now(), Math.min(bytes.byteLength, LARGEST));
  let at = 0;
  return pieceByPiece({ seats, seat, now: ctx.now, closed: nothing }, () => {
    const piece = bytes.subarray(at, at + PIECE);
    at += PIECE;
    return { bytes: piece, last: at >= bytes.byteLength };
  });
}
