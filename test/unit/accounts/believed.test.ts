import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyPrincipal } from '../../../src/account/api-keys/principal.ts';
import { mintKey, parseKey } from '../../../src/account/api-keys/secret.ts';
import { userPrincipal } from '../../../src/account/sign-in/principal.ts';
import { newUuid } from '../../../src/core/id.ts';
import { seal } from '../../../src/core/sealed.ts';
import { type Ctx, makeCtx } from '../../../src/data/ctx.ts';
import type { Deps } from '../../../src/data/deps.ts';
import { keysOf, type RedisStore } from '../../../src/data/redis.ts';
import type { Pipeline } from '../../../src/data/upstash.ts';
import type { AppContext, CredentialCheck } from '../../../src/http/context.ts';

// The bound of 60 s on reads, with a clock of its own: how long Redis is told to keep a check, and how long an isolate
// believes it. Whatever the order of events, the two together stay below a minute after Postgres was asked.

const BOUND = 60_000;
const SECRET = 'the secret of this suite';
const PLACE = { redis: { key: keysOf('life') }, settings: { environment: 'life', cursorSecret: SECRET } };

/** A Redis that only remembers what it was told to keep. */
function fakeRedis(): { database: RedisStore; kept: { key: string; value: string; px: number }[] } {
  const kept: { key: string; value: string; px: number }[] = [];
  const pipeline = {
    set: (key: string, value: string, { px }: { px: number }) => kept.push({ key, value, px }),
    incr: () => 0,
    expire: () => 0,
  } as unknown as Pipeline;
  const trip: RedisStore['trip'] = async (_ctx, fill, read) => {
    fill(pipeline);
    return read([]);
  };
  return { database: { breaker: null as never, fault: null, key: keysOf('life'), trip }, kept };
}

function at(start: number) {
  let now = start;
  const { database, kept } = fakeRedis();
  const ctx: Ctx = makeCtx(
    'req',
    () => undefined,
    () => now,
  );
  const deps = {
    redis: database,
    settings: { environment: 'life', loginLimit: 10, cursorSecret: SECRET },
    auth: { db: { execute: () => null }, batch: async () => [] },
  } as unknown as Deps;
  return {
    ctx,
    deps,
    kept,
    pass: (ms: number) => {
      now += ms;
    },
    now: () => now,
  };
}

const START = 1_000_000_000_000;

/** Postgres answers after `slow` ms; then how long may anybody still believe it, counted from when it was asked? */
function longest(
  world: ReturnType<typeof at>,
  life: CredentialCheck,
  settle: Record<string, unknown>,
  slow: number,
  again: () => CredentialCheck,
): number {
  world.pass(slow);
  life.settle(world.ctx, world.deps, [settle]);
  const own = lastKnown(world, life) - START;
  const stored = world.kept.find(({ key }) => key.startsWith('v1:life:'));
  if (stored === undefined) return own;
  // Another isolate reads the record in its very last moment.
  const end = START + slow + stored.px - 1;
  const elsewhere = again();
  elsewhere.learn([stored.value, null, null], end);
  return Math.max(own, lastKnown(world, elsewhere) - START);
}

/** The last millisecond at which the check is believed. */
function lastKnown(world: ReturnType<typeof at>, life: CredentialCheck): number {
  let low = world.now();
  let high = START + 10 * BOUND;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (life.known(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const context = (world: ReturnType<typeof at>): AppContext =>
  ({
    env: { ctx: world.ctx, deps: world.deps },
    req: { header: () => undefined },
  }) as unknown as AppContext;

describe.each([0, 500, 11_000, 40_000])('Postgres answers after %i ms', (slow) => {
  test('a session is believed for less than a minute', () => {
    const world = at(START);
    const claims = {
      companyId: newUuid(),
      sessionId: newUuid(),
      userId: newUuid(),
      role: 'STAFF' as const,
      expiresAt: START * 2,
    };
    const other = () => userPrincipal({ ...claims }, PLACE).credential;
    const believed = longest(world, userPrincipal(claims, PLACE).credential, { role: 'STAFF' }, slow, other);
    expect(believed).toBeLessThan(slow > 30_000 ? slow + 30_000 : BOUND);
    expect(believed).toBeGreaterThanOrEqual(29_000);
  });

  test('a key is believed for less than a minute', () => {
    const world = at(START);
    const { secret } = mintKey(newUuid(), newUuid());
    const caller = keyPrincipal(context(world), secret);
    expect(caller.proven).toBe(false);
    const settled = { scopes: ['clients:read'], expires_at: null };
    const believed = longest(
      world,
      caller.credential,
      settled,
      slow,
      () => keyPrincipal(context(world), secret).credential,
    );
    expect(caller.proven).toBe(true);
    expect(believed).toBeLessThan(slow > 30_000 ? slow + 30_000 : BOUND);
    expect(believed).toBeGreaterThanOrEqual(29_000);
  });
});

test('a clock that is set back prolongs no belief', () => {
  const world = at(START);
  const claims = { companyId: newUuid(), sessionId: newUuid(), userId: newUuid(), role: 'STAFF' as const };
  const session = userPrincipal({ ...claims, expiresAt: START * 2 }, PLACE).credential;
  const { secret } = mintKey(newUuid(), newUuid());
  const key = keyPrincipal(context(world), secret).credential;
  session.settle(world.ctx, world.deps, [{ role: 'STAFF' }]);
  key.settle(world.ctx, world.deps, [{ scopes: ['clients:read'], expires_at: null }]);
  for (const check of [session, key])
    expect([0, -1, -BOUND, -60 * BOUND].map((step) => check.known(START + step))).toEqual([true, false, false, false]);
  world.pass(-60 * BOUND);
  expect(keyPrincipal(context(world), secret).proven).toBe(false);
});

describe('what vouches for a key', () => {
  const record = (text: string, more: { scopes?: unknown; expiresAt?: number | null; hash?: string } = {}) =>
    JSON.stringify([
      more.hash ?? createHash('sha256').update(text).digest('hex'),
      more.expiresAt === undefined ? null : more.expiresAt,
      more.scopes ?? ['clients:read'],
    ]);
  const learn = (answer: unknown, sealed: (text: string, place: string) => unknown = ours) => {
    const world = at(START);
    const { secret } = mintKey(newUuid(), newUuid());
    const caller = keyPrincipal(context(world), secret);
    const text = typeof answer === 'function' ? (answer as (text: string) => unknown)(secret) : answer;
    const place = `v1:life:key:${caller.credentialId}`;
    caller.credential.learn([typeof text === 'string' ? sealed(text, place) : text, '0'], START);
    return caller;
  };
  const ours = (text: string, place: string) => seal(SECRET, place, text, START + 1000);

  test('the record of this very text', () => {
    const caller = learn((text: string) => record(text));
    expect([caller.proven, caller.may('clients:read'), caller.may('clients:write')]).toEqual([true, true, false]);
  });

  test.each([
    ['nothing', null],
    ['no text', 7],
    ['no JSON', '{'],
    ['another shape', '{}'],
    ['another hash', () => record('', {})],
    ['half a hash', (text: string) => record(text, { hash: 'ab' })],
    ['scopes that are none', (text: string) => record(text, { scopes: 'admin' })],
    ['an end that has come', (text: string) => record(text, { expiresAt: START })],
  ])('%s does not', (_name, answer) => {
    const caller = learn(answer);
    expect([caller.proven, caller.may('company:read')]).toEqual([false, false]);
  });

  test.each([
    ['without a signature', (text: string) => text],
    ['signed by another secret', (text: string, place: string) => seal('another', place, text, START + 1000)],
    ['of another key', (text: string) => seal(SECRET, `v1:life:key:${newUuid()}`, text, START + 1000)],
    ['whose time is over', (text: string, place: string) => seal(SECRET, place, text, START)],
    [
      'whose time was put off',
      (text: string, place: string) => ours(text, place).replace(`.${START + 1000}.`, `.${START + 9000}.`),
    ],
    [
      'with other scopes than were signed',
      (text: string, place: string) => ours(text, place).replace('clients', 'erasers'),
    ],
  ])('a record %s does not', (_name, sealed) => {
    const caller = learn((text: string) => record(text), sealed);
    expect([caller.proven, caller.may('company:read')]).toEqual([false, false]);
  });

  test('an end before the check runs out ends it', () => {
    const caller = learn((text: string) => record(text, { expiresAt: START + 1000 }));
    expect([caller.credential.known(START + 999), caller.credential.known(START + 1000)]).toEqual([true, false]);
  });
});

describe('the text of a key', () => {
  test('names its company and its id, and comes back', () => {
    const [company, id] = [newUuid(), newUuid()];
    const { secret, hash } = mintKey(company, id);
    expect(secret).toMatch(/^cpk_live_[\w-]{22}_[\w-]{22}_[\w-]{43}$/);
    expect(parseKey(secret)).toEqual({ companyId: company, keyId: id, hash });
  });

  test('has one spelling', () => {
    const { secret } = mintKey(newUuid(), newUuid());
    // The last character of a uuid holds two bits; the others must be zero.
    expect(parseKey(`${secret.slice(0, 30)}_${secret.slice(31)}`)).toBeNull();
    for (const text of [
      '',
      'cpk_',
      `${secret} `,
      secret.slice(1),
      `${secret}A`,
      secret.slice(0, -1),
      secret.replace('live', 'test'),
    ])
      expect(parseKey(text), text).toBeNull();
  });
});
