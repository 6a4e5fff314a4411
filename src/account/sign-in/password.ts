/**
 * Passwords: scrypt with the parameters in the hash; `turns.ts` says who may derive when.
 *
 * The cost is OWASP's for scrypt (2^14, r 8, p 5): 117 ms and 16 MB in workerd, measured (research/auth-and-database.md).
 * PBKDF2 is capped at 100,000 rounds in production and argon2 needs WebAssembly compiled at run time: neither can be used.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { inTurn, type Turn } from './derivation-turns.ts';

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

/** Of nobody in particular: scripts and tests. */
const ANYBODY: Turn = { kind: 'other', address: '', account: '' };

/**
 * Hashes a password for storage.
 *
 * @returns `scrypt$14$8$5$<salt>$<hash>`: log2 of N, r, p, then 16 and 32 bytes in base64url.
 * @throws AppError `busy`, and what `turn` throws
 * @throws RangeError for more than 256 UTF-16 units, which the routes' schema never lets through.
 */
export async function hashPassword(password: string, turn: Turn = ANYBODY): Promise<string> {
  if (password.length > MAX_PASSWORD_UNITS) throw new RangeError('password too long');
  const salt = randomBytes(SALT_BYTES);
  const hash = await inTurn(turn, () => derive(password, COST, salt, HASH_BYTES));
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
 * @throws AppError `busy`, and what `turn` throws
 */
export async function verifyPassword(
  password: string,
  stored: string | null,
  turn: Turn = ANYBODY,
): Promise<{ ok: boolean; rehash: boolean }> {
  const known = stored !== null && password.length <= MAX_PASSWORD_UNITS ? parse(stored) : null;
  const { cost, salt, hash } = known ?? DUMMY;
  const input = password.slice(0, MAX_PASSWORD_UNITS);
  const derived = await inTurn(turn, () => derive(input, cost, salt, hash.length));
  const ok = timingSafeEqual(derived, hash) && known !== null;
  return { ok, rehash: ok && !isCurrent({ cost, salt, hash }) };
}

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
