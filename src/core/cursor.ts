import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from './errors.ts';

/** A place in a sorted list: the sort values and id of the row it stands at, and which way to go. */
export type Cursor = {
  company: string;
  route: string;
  /** Canonical filters, search and sort: `ListQuery.filterKey`. */
  query: string;
  values: (string | number | boolean | null)[];
  id: string;
  direction: 'next' | 'prev';
};

const VERSION = 1;
const MAC_LENGTH = 22;

/**
 * base64url(JSON) followed by 16 bytes of HMAC-SHA256. Company and route are bound through the MAC only, so neither can
 * be read from it; the query through a hash in the payload, so that a mismatch can be told from tampering.
 */
export function encodeCursor(secret: string, c: Cursor): string {
  const payload = [VERSION, fingerprint(c.query), c.direction === 'next' ? 1 : 0, c.id, c.values];
  const body = Buffer.from(JSON.stringify(payload), 'utf8').toString('base64url');
  return body + sign(secret, c.company, c.route, body);
}

/**
 * The cursor in `text`, whose company, route and query are those expected. Throws AppError `invalid_cursor` when it was
 * tampered with or comes from another company or route, `cursor_mismatch` when filters, search or sort differ.
 */
export function decodeCursor(
  secret: string,
  text: string,
  expect: { company: string; route: string; query: string },
): Cursor {
  const body = text.slice(0, -MAC_LENGTH);
  // Texts, not bytes, are compared and signed: base64 has several spellings of the same bytes.
  const presented = Buffer.from(text.slice(-MAC_LENGTH), 'utf8');
  const expected = Buffer.from(sign(secret, expect.company, expect.route, body), 'utf8');
  if (presented.length !== expected.length || !timingSafeEqual(presented, expected))
    throw invalidCursor('invalid_cursor');
  const payload: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  if (!Array.isArray(payload) || payload[0] !== VERSION) throw invalidCursor('invalid_cursor');
  // Signed by us, hence shaped by us.
  const [, query, next, id, values] = payload as [number, string, 0 | 1, string, Cursor['values']];
  if (query !== fingerprint(expect.query)) throw invalidCursor('cursor_mismatch');
  const { company, route } = expect;
  return { company, route, query: expect.query, values, id, direction: next === 1 ? 'next' : 'prev' };
}

function sign(secret: string, company: string, route: string, body: string): string {
  const mac = createHmac('sha256', secret).update(`cursor\0${company}\0${route}\0${body}`, 'utf8').digest();
  return mac.subarray(0, 16).toString('base64url');
}

function fingerprint(query: string): string {
  return createHash('sha256').update(query, 'utf8').digest().subarray(0, 12).toString('base64url');
}

/** What a cursor is refused with. */
export function invalidCursor(code: 'invalid_cursor' | 'cursor_mismatch'): AppError {
  const detail =
    code === 'invalid_cursor'
      ? 'Use a cursor exactly as a list answered it.'
      : 'Filters, search and sort must stay the same during a walk.';
  return new AppError(code, detail, { faults: [{ parameter: 'cursor', code, detail }] });
}
