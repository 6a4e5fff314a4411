/** The prefixes of public ids: which kind of object an id names. */
export const ID_PREFIXES = [
  'comp',
  'brch',
  'usr',
  'stf',
  'svc',
  'clnt',
  'appt',
  'ser',
  'inv',
  'pay',
  'rfnd',
  'key',
  'evt',
  'whk',
  'alrt',
  'imp',
  'hold',
  'wait',
  'toff',
  'rsrc',
  'cal',
  'lin',
  'job',
  'ses',
  'req',
] as const;

export type Prefix = (typeof ID_PREFIXES)[number];

const DASH = 45;
const HEX_CODES = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const BASE32_CODES = Uint8Array.from('0123456789abcdefghjkmnpqrstvwxyz', (digit) => digit.charCodeAt(0));
const HEX_VALUES = valuesOf(HEX_CODES);
const BASE32_VALUES = valuesOf(BASE32_CODES);
for (let value = 10; value < 16; value++) HEX_VALUES[value + 55] = value; // A to F

/** Character code to value; -1 elsewhere, because a negative number stays negative through shifts and ors. */
function valuesOf(digits: Uint8Array): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let value = 0; value < digits.length; value++) values[digits[value] as number] = value;
  return values;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether it is the text of a uuid as Postgres writes it. */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

/** The two digits of each byte: numbers above 31 bits are slow to write in hex. */
const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

function headOf(time: number): string {
  const digits = time.toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/** The time of a UUIDv7, and its counter within it: together strictly increasing. */
class Ticks {
  time = 0;
  counter = 0;

  /** @param start where the counter begins in a new millisecond @returns whether the time is another one */
  next(clock: number, start: number): boolean {
    if (clock <= this.time && ++this.counter <= 0xfff) return false;
    // A clock that stands still (a Worker's does while it computes) or steps back must not repeat or reorder ids.
    this.time = Math.max(clock, this.time + 1);
    this.counter = start;
    return true;
  }
}

/**
 * A source of UUIDv7 texts (RFC 9562, 5.7), strictly increasing within one source: a 12-bit counter in `rand_a`
 * (6.2, method 1) starts in its lower half each millisecond and borrows the next one when it runs over.
 * `now` in ms; `random` fills the bytes it is given, many ids' worth at a time because a call costs more than an id.
 */
export function uuidSource(now: () => number, random: (bytes: Uint8Array<ArrayBuffer>) => unknown): () => string {
  const pool = new Uint8Array(640);
  const ticks = new Ticks();
  let used = pool.length;
  let head = '';
  const byte = () => pool[used++] as number;
  const hex = () => HEX[byte()] as string;
  return () => {
    if (used === pool.length) {
      random(pool);
      used = 0;
    }
    if (ticks.next(now(), ((byte() << 8) | byte()) & 0x7ff)) head = headOf(ticks.time);
    const { counter } = ticks;
    const variant = HEX[0x80 | (byte() & 0x3f)];
    const version = `${HEX[0x70 | (counter >> 8)]}${HEX[counter & 0xff]}`;
    return `${head}-${version}-${variant}${hex()}-${hex()}${hex()}${hex()}${hex()}${hex()}${hex()}`;
  };
}

/** A new UUIDv7, increasing within this isolate. Call it inside a request: workerd has no randomness at start. */
export const newUuid: () => string = uuidSource(Date.now, (bytes) => crypto.getRandomValues(bytes));

/**
 * Public ids of new uuids (as `uuidSource` makes them, of a time and counter of its own) that nobody needs as uuids: written
 * at once, because every request has one.
 */
export function idSource(
  prefix: Prefix,
  now: () => number,
  random: (bytes: Uint8Array<ArrayBuffer>) => unknown,
): () => string {
  const pool = new Uint8Array(660);
  const ticks = new Ticks();
  let used = pool.length;
  let head = '';
  const byte = () => pool[used++] as number;
  const three = () => (byte() << 16) | (byte() << 8) | byte();
  return () => {
    if (used === pool.length) {
      random(pool);
      used = 0;
    }
    if (ticks.next(now(), byte() << 3)) head = `${prefix}_${timeOf(ticks.time)}`;
    const { counter } = ticks;
    const a = (7 << 16) | (counter << 4) | 8 | (byte() & 3);
    const b = three();
    const c = three();
    const d = three();
    // biome-ignore format: a line per group
    return head + String.fromCharCode(
      letter(a >> 15), letter(a >> 10), letter(a >> 5), letter(a),
      letter(b >> 15), letter(b >> 10), letter(b >> 5), letter(b),
      letter(c >> 15), letter(c >> 10), letter(c >> 5), letter(c),
      letter(d >> 15), letter(d >> 10), letter(d >> 5), letter(d),
    );
  };
}

/** The 48 bits of a time as the ten characters that a public id begins with. */
function timeOf(time: number): string {
  const high = Math.floor(time / 2 ** 25);
  const low = time % 2 ** 25;
  // biome-ignore format: a line per group
  return String.fromCharCode(
    letter(high >> 20), letter(high >> 15), letter(high >> 10), letter(high >> 5), letter(high),
    letter(low >> 20), letter(low >> 15), letter(low >> 10), letter(low >> 5), letter(low),
  );
}

/** The id of a request. */
export const newRequestId: () => string = idSource('req', Date.now, (bytes) => crypto.getRandomValues(bytes));

/**
 * The public id of a uuid: TypeID 0.3, `prefix_` and 26 characters of Crockford base32.
 * `uuid` is canonical text in either case; anything else is a bug of the caller and throws a RangeError.
 */
export function formatId(prefix: Prefix, uuid: string): string {
  const a = (hex(uuid, 0) << 4) | hex(uuid, 1);
  // 128 bits are 8 + 6 × 20: two hex digits make the first two characters, five make each later group of four.
  const b = five(uuid, 2, 3, 4, 5, 6);
  const c = five(uuid, 7, 9, 10, 11, 12);
  const d = five(uuid, 14, 15, 16, 17, 19);
  const e = five(uuid, 20, 21, 22, 24, 25);
  const f = five(uuid, 26, 27, 28, 29, 30);
  const g = five(uuid, 31, 32, 33, 34, 35);
  if ((a | b | c | d | e | f | g) < 0 || uuid.length !== 36 || !hasDashes(uuid)) {
    throw new RangeError('formatId: not a uuid');
  }
  // biome-ignore format: a line per group
  const text = String.fromCharCode(
    letter(a >> 5), letter(a),
    letter(b >> 15), letter(b >> 10), letter(b >> 5), letter(b),
    letter(c >> 15), letter(c >> 10), letter(c >> 5), letter(c),
    letter(d >> 15), letter(d >> 10), letter(d >> 5), letter(d),
    letter(e >> 15), letter(e >> 10), letter(e >> 5), letter(e),
    letter(f >> 15), letter(f >> 10), letter(f >> 5), letter(f),
    letter(g >> 15), letter(g >> 10), letter(g >> 5), letter(g),
  );
  return `${prefix}_${text}`;
}

function hex(text: string, index: number): number {
  return HEX_VALUES[text.charCodeAt(index)] ?? -1;
}

function five(text: string, i: number, j: number, k: number, l: number, m: number): number {
  return (hex(text, i) << 16) | (hex(text, j) << 12) | (hex(text, k) << 8) | (hex(text, l) << 4) | hex(text, m);
}

function letter(bits: number): number {
  return BASE32_CODES[bits & 31] as number;
}

function hasDashes(uuid: string): boolean {
  return uuid[8] === '-' && uuid[13] === '-' && uuid[18] === '-' && uuid[23] === '-';
}

/** The uuid text of a public id, or null when it is not a well-formed id with exactly this prefix. Never throws. */
export function parseId(prefix: Prefix, text: string): string | null {
  const start = prefix.length + 1;
  if (text.length !== start + 26 || !text.startsWith(prefix) || text[start - 1] !== '_') return null;
  const a = (base32(text, start) << 5) | base32(text, start + 1);
  const b = four(text, start + 2);
  const c = four(text, start + 6);
  const d = four(text, start + 10);
  const e = four(text, start + 14);
  const f = four(text, start + 18);
  const g = four(text, start + 22);
  // A first character above 7 would be bits 129 and 130 of a 128-bit number.
  if ((a | b | c | d | e | f | g) < 0 || a > 255) return null;
  // biome-ignore format: a line per group
  return String.fromCharCode(
    digit(a >> 4), digit(a),
    digit(b >> 16), digit(b >> 12), digit(b >> 8), digit(b >> 4), digit(b),
    digit(c >> 16), DASH, digit(c >> 12), digit(c >> 8), digit(c >> 4), digit(c), DASH,
    digit(d >> 16), digit(d >> 12), digit(d >> 8), digit(d >> 4), DASH, digit(d),
    digit(e >> 16), digit(e >> 12), digit(e >> 8), DASH, digit(e >> 4), digit(e),
    digit(f >> 16), digit(f >> 12), digit(f >> 8), digit(f >> 4), digit(f),
    digit(g >> 16), digit(g >> 12), digit(g >> 8), digit(g >> 4), digit(g),
  );
}

function base32(text: string, index: number): number {
  return BASE32_VALUES[text.charCodeAt(index)] ?? -1;
}

function four(text: string, index: number): number {
  const high = (base32(text, index) << 15) | (base32(text, index + 1) << 10);
  return high | (base32(text, index + 2) << 5) | base32(text, index + 3);
}

function digit(bits: number): number {
  return HEX_CODES[bits & 15] as number;
}

/** An id that no row has: a malformed one takes the same way as an absent one, so nothing tells them apart. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** The uuid of a public id, or nobody's. */
export const uuidOf = (prefix: Prefix, id: string): string => parseId(prefix, id) ?? NOBODY;
