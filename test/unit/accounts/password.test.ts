import * as crypto from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// The real scrypt, watched: each run costs a tenth of a second, so the tests share hashes and count runs.
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  return { ...actual, scrypt: vi.fn(actual.scrypt) };
});
const scrypt = vi.mocked(crypto.scrypt);

// An isolate of its own for each test: nothing is running in it, and it need not rest.
let { hashPassword, verifyPassword } = await import('../../../src/account/sign-in/password.ts');
beforeEach(async () => {
  vi.resetModules();
  ({ hashPassword, verifyPassword } = await import('../../../src/account/sign-in/password.ts'));
});

const COST = { N: 16384, r: 8, p: 5 };
/** ASCII, so its NFKC form is itself. */
const PASSWORD = 'correct horse battery';
/** A cheap hash by another cost, made by the very function under the module. */
const salt = Buffer.alloc(16, 7);
const cheap = (log2N: number) =>
  `scrypt$${log2N}$1$1$${salt.toString('base64url')}$${crypto
    .scryptSync(PASSWORD, salt, 32, { N: 2 ** log2N, r: 1, p: 1 })
    .toString('base64url')}`;

/** What the derivations of this test asked for: cost, and length of the answer. */
const asked = () => scrypt.mock.calls.map((call) => ({ bytes: call[2], ...(call[3] as unknown as object) }));

/** Takes the place of scrypt: `answer` says when the zeros come. */
function standIn(answer: (done: () => void) => void) {
  scrypt.mockImplementation(((
    _p: unknown,
    _s: unknown,
    bytes: number,
    _o: unknown,
    done: (e: null, k: Buffer) => void,
  ) => answer(() => done(null, Buffer.alloc(bytes)))) as never);
}

/** Answers at once, with zeros: for tests that are about which work is asked for. */
const free = () => standIn((done) => done());

afterEach(async () => {
  vi.useRealTimers();
  const actual = await vi.importActual<typeof import('node:crypto')>('node:crypto');
  scrypt.mockReset().mockImplementation(actual.scrypt as never);
});

describe('a password of today', () => {
  // ﬁ and Å in compatibility forms; the second spelling is what another keyboard sends.
  const typed = 'ﬁrma Åland ２４';
  const retyped = 'firma A\u030Aland 24';
  let stored = '';

  it('is hashed with its parameters', async () => {
    stored = await hashPassword(typed);
    expect(stored).toMatch(/^scrypt\$14\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
    expect(asked()).toMatchObject([{ bytes: 32, ...COST }]);
  });

  it('is known again in any Unicode spelling, and needs no rehash', async () => {
    expect(await verifyPassword(retyped, stored)).toEqual({ ok: true, rehash: false });
  });

  it('is not another one', async () => {
    expect(await verifyPassword(`${retyped} `, stored)).toEqual({ ok: false, rehash: false });
  });

  it('gets another salt each time', async () => {
    free();
    expect(await hashPassword(PASSWORD)).not.toBe(await hashPassword(PASSWORD));
  });

  it('of more than 128 characters is a caller’s mistake', async () => {
    free();
    await expect(hashPassword('😀'.repeat(128))).resolves.toMatch(/^scrypt/);
    await expect(hashPassword('x'.repeat(257))).rejects.toThrow(RangeError);
  });
});

describe('a hash of another time', () => {
  it('is read by its own parameters and asks for a new one', async () => {
    expect(await verifyPassword(PASSWORD, cheap(11))).toEqual({ ok: true, rehash: true });
    expect(asked()).toMatchObject([{ N: 2048, r: 1, p: 1, bytes: 32 }]);
  });

  it('asks for nothing when the password is wrong', async () => {
    expect(await verifyPassword('another password', cheap(11))).toEqual({ ok: false, rehash: false });
  });

  it.each([
    ['fewer lanes', 4, 16, 32],
    ['a longer salt', 5, 24, 32],
    ['a longer hash', 5, 16, 64],
  ])('may differ in one thing: %s', async (_name, p, saltBytes, bytes) => {
    free();
    const [salt, zeros] = [saltBytes, bytes].map((n) => Buffer.alloc(n).toString('base64url'));
    expect(await verifyPassword(PASSWORD, `scrypt$14$8$${p}$${salt}$${zeros}`)).toEqual({ ok: true, rehash: true });
    expect(asked()).toMatchObject([{ ...COST, p, bytes }]);
  });
});

describe('what cannot be right costs the same derivation', () => {
  const tail = `${salt.toString('base64url')}$${Buffer.alloc(32).toString('base64url')}`;
  it.each([
    ['unknown account', null],
    ['empty', ''],
    ['no parameters', tail],
    ['another scheme', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'],
    ['too much memory', `scrypt$17$8$1$${tail}`],
    ['too much work', `scrypt$14$8$21$${tail}`],
    ['absurd memory', `scrypt$99$99$99$${tail}`],
    ['no work', `scrypt$9$8$1$${tail}`],
    ['zero blocks', `scrypt$14$0$5$${tail}`],
    ['zero lanes', `scrypt$14$8$0$${tail}`],
    ['negative', `scrypt$-14$8$5$${tail}`],
    ['short hash', `scrypt$14$8$5$${salt.toString('base64url')}$AAAA`],
    ['empty salt', `scrypt$14$8$5$$${Buffer.alloc(32).toString('base64url')}`],
    ['something after it', `scrypt$14$8$5$${tail}$`],
  ])('%s', async (_name, stored) => {
    // Zeros are just what the dummy holds: even a lucky match is not a sign-in.
    free();
    expect(await verifyPassword(PASSWORD, stored)).toEqual({ ok: false, rehash: false });
    expect(asked()).toMatchObject([{ bytes: 32, ...COST }]);
  });

  it('an overlong password, cut before any work', async () => {
    free();
    expect(await verifyPassword('x'.repeat(1_000_000), `scrypt$14$8$5$${tail}`)).toEqual({ ok: false, rehash: false });
    expect(asked()).toMatchObject([{ bytes: 32, ...COST }]);
    expect(scrypt.mock.calls[0]?.[0]).toHaveLength(256);
  });

  it('the most a hash may ask for is accepted by scrypt itself', async () => {
    // 2^15, r 15: just below the 64 MB; p 1 keeps it short.
    const { ok } = await verifyPassword(PASSWORD, `scrypt$15$15$1$${tail}`);
    expect(ok).toBe(false);
    expect(asked()).toMatchObject([{ N: 32768, r: 15, p: 1 }]);
  });
});
