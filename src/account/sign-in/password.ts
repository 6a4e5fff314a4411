/**
 * Passwords: scrypt with the parameters in the hash, one derivation at a time per isolate.
 *
 * The cost is OWASP's for scrypt (2^14, r 8, p 5): 117 ms and 16 MB in workerd, measured (research/auth-and-database.md).
 * PBKDF2 is capped at 100,000 rounds in production and argon2 needs WebAssembly compiled at run time: neither can be used.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/errors.ts';

/** The work of one derivation; `log2N` doubles both time and memory. */
type Cost = { log2N: number; r: number; p: number };
type StoredHash = { cost: Cost; salt: Uint8Array; hash: Uint8Array };

const COST: Cost = { log2N: 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What a stored hash may ask for. The isolate has 128 MB in all, and a blocked thread serves nobody. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const MAX_WORK = 4 * work(COST);

/** UTF-16 units; the 128 characters of the contract are at most 256. Routes check that, this only bounds the work. */
const MAX_PASSWORD_UNITS = 256;

/** For unknown accounts: today's cost, and nobody has the password. */
const DUMMY: StoredHash = { cost: COST, salt: new Uint8Array(SALT_BYTES), hash: new Uint8Array(HASH_BYTES) };

/** After this long the holder's request was cancelled before it could release; ms. */
const ABANDONED_AFTER_MS = 2000;

/** The longest rest: neither a costly hash nor a clock that jumps may keep everybody out; ms. */
const MOST_REST_MS = 1000;

/** The derivation under way in this isolate, if any. Plain data: a request must not wait for another's promise. */
let running: { since: number } | null = null;

/** Until then the isolate belongs to the requests that the last derivation held up; Unix time, ms. */
let restUntil = 0;

/**
 * Hashes a password for storage.
 *
 * @returns `scrypt$14$8$5$<salt>$<hash>`: log2 of N, r, p, then 16 and 32 bytes in base64url.
 * @throws AppError `busy` with `retryAfter: 1` (seconds) when this isolate is already hashing.
 * @throws RangeError for more than 256 UTF-16 units, which the routes' schema never lets through.
 */
export async function hashPassword(password: string): Promise<string> {
  if (password.length > MAX_PASSWORD_UNITS) throw new RangeError('password too long');
  const salt = randomBytes(SALT_BYTES);
  const hash = await hashing(() => derive(password, COST, salt, HASH_BYTES));
  const { log2N, r, p } = COST;
  return `scrypt$${log2N}$${r}$${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/**
 * Compares a password with the stored hash of an account, in constant time.
 *
 * An unknown account (`null`), an unreadable or absurd hash and an overlong password cost the same derivation and answer
 * `ok: false`, so the time tells nothing about which accounts exist.
 *
 * @returns `rehash` is true when the password is right and the hash is not of today's cost: hash it again and store that.
 * Let a `busy` of that second derivation pass: the sign-in itself has succeeded, and the next one tries again.
 * @throws AppError `busy` with `retryAfter: 1` (seconds) when this isolate is already hashing.
 */
export async function verifyPassword(
  password: string,
  stored: string | null,
): Promise<{ ok: boolean; rehash: boolean }> {
  const known = stored !== null && password.length <= MAX_PASSWORD_UNITS ? parse(stored) : null;
  const { cost, salt, hash } = known ?? DUMMY;
  const input = password.slice(0, MAX_PASSWORD_UNITS);
  const derived = await hashing(() => derive(input, cost, salt, hash.length));
  const ok = timingSafeEqual(derived, hash) && known !== null;
  return { ok, rehash: ok && !isCurrent({ cost, salt, hash }) };
}

/**
 * Runs one derivation, or refuses at once: queued ones would hold up every other request of the isolate.
 *
 * In workerd scrypt blocks the thread, whatever its callback suggests: requests that arrive meanwhile are looked at only
 * afterwards, each finding nothing running (measured: 8 at once, all served, all after 990 ms). So the place is kept for
 * one more turn of the event loop, in which they are delivered and refused (measured: 1 served, 7 refused, all after 140 ms).
 *
 * Then the isolate rests for as long as the derivation took. Sign-ins that were waiting for Redis or Postgres would start
 * the next one before the other requests had their turn, and those would wait for two (measured in the test of 50 log-ins).
 * A sign-in that meets the rest sits it out by a timer of its own, once.
 */
async function hashing<T>(derivation: () => Promise<T>): Promise<T> {
  const rest = restUntil;
  const wait = Math.min(rest - Date.now(), MOST_REST_MS);
  if (running === null && wait > 0) await sleep(wait);
  const now = Date.now();
  const taken = running !== null && now - running.since < ABANDONED_AFTER_MS;
  // Another one took its turn while this one sat out the rest.
  const overtaken = restUntil !== rest;
  if (taken || overtaken) {
    throw new AppError('busy', 'Too many sign-ins at this moment. Try again in a second.', {
      extra: { retryAfter: 1 },
    });
  }
  const mine = { since: now };
  running = mine;
  try {
    const result = await derivation();
    await sleep(1);
    return result;
  } finally {
    // An abandoned place may have been taken over: then it is not ours to release.
    if (running === mine) {
      running = null;
      const ended = Date.now();
      restUntil = ended + Math.min(ended - now, MOST_REST_MS);
    }
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function derive(password: string, cost: Cost, salt: Uint8Array, bytes: number): Promise<Buffer> {
  const options = { N: 2 ** cost.log2N, r: cost.r, p: cost.p, maxmem: MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    // NFKC: the same password typed on another keyboard or system is the same bytes (NIST SP 800-63B 5.1.1.2).
    scrypt(password.normalize('NFKC'), salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Reads a stored hash; null when it is none of ours, or asks for more memory or work than we would ever spend. */
function parse(stored: string): StoredHash | null {
  const match = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{16,86})\$([\w-]{22,86})$/.exec(stored);
  if (match === null) return null;
  const [log2N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const cost = { log2N, r, p };
  if (log2N < 10 || r < 1 || p < 1 || memory(cost) > MAX_MEMORY_BYTES || work(cost) > MAX_WORK) return null;
  return { cost, salt: Buffer.from(String(match[4]), 'base64url'), hash: Buffer.from(String(match[5]), 'base64url') };
}

function isCurrent({ cost, salt, hash }: StoredHash): boolean {
  const sameCost = cost.log2N === COST.log2N && cost.r === COST.r && cost.p === COST.p;
  return sameCost && salt.length === SALT_BYTES && hash.length === HASH_BYTES;
}

/** Block mixes, the unit time grows by. */
function work({ log2N, r, p }: Cost): number {
  return 2 ** log2N * r * p;
}

/** Bytes of scrypt's table and blocks, counted as OpenSSL counts them against `maxmem`. */
function memory({ log2N, r, p }: Cost): number {
  return 128 * r * (2 ** log2N + p + 2);
}
