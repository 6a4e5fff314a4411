import { bytesOf, type LargeBody } from '../data/large-body.ts';
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

/** What an answer's body may be before it is sent. */
export type Body = BodyInit | LargeBody | null;

const isInParts = (body: Body): body is LargeBody => body !== null && typeof body === 'object' && 'parts' in body;

/**
 * An answer's body as it is sent: a large one, which stays at hand until its reader takes it, at a place of its own. HEAD shows nothing
 * of it; what was written is answered whatever is being read, and no body that may be sent makes much of an answer.
 * @param companyId null where nobody is known
 * @throws AppError busy
 */
export function sentBody(c: AppContext, companyId: string | null, body: Body): BodyInit | null {
  const isRead = companyId !== null && c.req.method === 'GET';
  if (isInParts(body)) return isRead ? taken(c, companyId, bytesOf(body), body.byteLength) : null;
  if (!isRead || !(typeof body === 'string' || body instanceof Uint8Array) || body.length <= LARGE) return body;
  const bytes = typeof body === 'string' ? encoder.encode(body) : body;
  return taken(c, companyId, piecesOf(bytes), bytes.byteLength);
}

/**
 * A place for an answer that is still to be made, until it is: nobody makes what could not be sent.
 * @throws AppError busy
 */
export const placeFor = (companyId: string, now: number, bytes: number): Seat =>
  seats.open(companyId, now, Math.min(bytes, LARGEST));

export const leavePlace = (seat: Seat): void => seats.close(seat);

/** A large answer as its reader takes it, for as long as there is room for what is left of it. @throws AppError busy */
function taken(c: AppContext, companyId: string, pieces: Iterator<Uint8Array>, byteLength: number): ReadableStream {
  const { ctx } = c.env;
  const seat = seats.open(companyId, ctx.now(), Math.min(byteLength, LARGEST));
  let sent = 0;
  return pieceByPiece({ seats, seat, now: ctx.now, closed: nothing }, () => {
    const bytes: Uint8Array = pieces.next().value;
    sent += bytes.byteLength;
    return { bytes, last: sent >= byteLength };
  });
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
