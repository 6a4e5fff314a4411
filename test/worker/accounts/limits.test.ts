import { describe, expect, test } from 'vitest';
import { count, type Limit } from '../../../src/account/sign-in/counts.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Deps } from '../../../src/data/deps.ts';
import { openRedis } from '../../../src/data/redis.ts';
import { addMember, MEMBER_PASSWORD, patiently } from '../../support/accounts.ts';
import { Api, type Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// What is counted against whom: failures by account and address, and work by address and company.

const world = await ownWorld({ LOGIN_LIMIT: '1' });
const salon = await openCompany(world);
const api = world.api;

const from = (address: string) => ({ headers: { 'CF-Connecting-IP': address } });
const login = (email: string, password: string, address: string, at: Api = api): Promise<Reply> =>
  patiently(() => at.as(null).post('/auth/login', { email, password }, from(address)));
const badRefresh = (address: string) => api.as(null).post('/auth/refresh', { refreshToken: 'x' }, from(address));

/** Counts against a subject as an isolate elsewhere would. */
async function charge(subject: string, times: number): Promise<void> {
  const environment = String(world.vars.ENVIRONMENT);
  const deps = {
    redis: openRedis({ url: String(world.vars.UPSTASH_REDIS_REST_URL), token: 'test', environment, deadline: 3000 }),
    settings: { environment },
  } as unknown as Deps;
  const limit: Limit = { subject, most: 0, seconds: 900 };
  await count({ ctx: makeCtx('req', () => undefined), deps }, Array<Limit>(times).fill(limit));
}

describe('addresses', () => {
  test('all of a /64 are one, however they are written; a /48 has ten times as much', async () => {
    const spelled = ['2001:db8::1', '2001:0db8:0:0::2', '2001:DB8:0:0:3:4:5:6', '2001:db8::7:0:0:1'];
    for (let i = 0; i < 10; i += 1) {
      expectProblem(await badRefresh(spelled[i % 4] ?? ''), 'invalid_refresh_token');
    }
    for (const address of spelled) expectProblem(await badRefresh(address), 'rate_limited');
    expectProblem(await badRefresh('2001:db8:0:1::1'), 'invalid_refresh_token');
    await charge('unknown-from:2001:db8:0::/48', 89);
    expectProblem(await badRefresh('2001:db8:0:ffff::1'), 'rate_limited');
    expectProblem(await badRefresh('2001:db8:1::1'), 'invalid_refresh_token');
  });

  test('an IPv4 address is one in either notation', async () => {
    for (let i = 0; i < 5; i += 1) {
      expectProblem(await badRefresh('198.51.100.7'), 'invalid_refresh_token');
      expectProblem(await badRefresh('::ffff:198.51.100.7'), 'invalid_refresh_token');
    }
    expectProblem(await badRefresh('::ffff:c633:6407'), 'rate_limited');
  });
});

describe('guesses', () => {
  test('from elsewhere do not lock the owner out; from everywhere they do', async () => {
    const owner = await openCompany(world);
    expectProblem(await login(owner.email, 'a wrong guess', '203.0.113.1'), 'invalid_credentials');
    expectProblem(await login(owner.email, owner.password, '203.0.113.1'), 'rate_limited');
    expect((await login(owner.email, owner.password, '203.0.113.2')).status).toBe(200);
    for (let i = 3; i < 7; i += 1) {
      expectProblem(await login(owner.email, 'a wrong guess', `203.0.113.${i}`), 'invalid_credentials');
    }
    expectProblem(await login(owner.email, owner.password, '203.0.113.9'), 'rate_limited');
  });

  test('at an account that ends in an address count nothing against whoever signs in from there', async () => {
    const owner = await openCompany(world);
    expectProblem(await login(`${owner.email}:203.0.113.77`, 'a wrong guess', '203.0.113.78'), 'invalid_credentials');
    expect((await login(owner.email, owner.password, '203.0.113.77')).status).toBe(200);
  });

  test('of a caller who leaves before the answer count as any', async () => {
    const owner = await openCompany(world);
    const address = '203.0.113.40';
    const leave = new AbortController();
    // Looked up: from here on the guess is being judged.
    world.neon.setHooks({
      afterCommit({ statements }) {
        if (statements.some(({ query }) => query.includes('app.find_credential('))) leave.abort();
      },
    });
    const guess = fetch(`${world.worker.url}/api/v1/auth/login`, {
      method: 'POST',
      signal: leave.signal,
      headers: { 'Content-Type': 'application/json', 'CF-Connecting-IP': address },
      body: JSON.stringify({ email: owner.email, password: 'a wrong guess' }),
    });
    await expect(guess).rejects.toThrow();
    world.neon.setHooks({ afterCommit: null });
    // The guess may yet be judged when the first of these is.
    const replies = [];
    for (let i = 0; i < 4; i += 1) replies.push((await login(owner.email, owner.password, address)).status);
    expect(replies.at(-1)).toBe(429);
  });

  test('at once get no more tries than one after another', async () => {
    const { url } = await world.another({ LOGIN_LIMIT: '2' });
    const owner = await openCompany(world);
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => login(owner.email, 'a wrong guess', '203.0.113.50', new Api(url))),
    );
    const answered = (status: number): number => replies.filter((each) => each.status === status).length;
    expect(answered(401)).toBeGreaterThanOrEqual(1);
    expect(answered(401)).toBeLessThanOrEqual(2);
    // Where one derivation takes seconds, those that wait are told busy.
    expect(answered(401) + answered(429) + answered(503)).toBe(8);
    expect(answered(429) + answered(503)).toBeGreaterThanOrEqual(6);
  });

  test.each(['refuse', 'slow'] as const)('are counted while Redis is away: %s', async (fault) => {
    const { url } = await world.another({ LOGIN_LIMIT: '2', REDIS_DEADLINE_MS: '100' });
    const at = new Api(url);
    const owner = await openCompany(world);
    world.upstash.setFault(fault);
    try {
      const address = fault === 'refuse' ? '203.0.113.60' : '203.0.113.61';
      for (let i = 0; i < 2; i += 1) {
        expectProblem(await login(owner.email, `guess ${i}`, address, at), 'invalid_credentials');
      }
      expectProblem(await login(owner.email, owner.password, address, at), 'rate_limited');
    } finally {
      world.upstash.setFault(null);
    }
  });
});

describe('work', () => {
  const NEW = { company: { name: 'x', currency: 'EUR', timeZone: 'Europe/Vienna' } };

  test('of right passwords is charged to the address: then nothing is derived for it', async () => {
    const address = '192.0.2.30';
    await charge(`work-from:${address}`, 29);
    expect((await login(salon.email, salon.password, address)).status).toBe(200);
    const member = await addMember(world, salon, 'ADMIN');
    const link = (await salon.api.post(`/users/${member.id}/invite`)).json.token;
    const person = { name: 'x', email: `${crypto.randomUUID()}@example.com`, role: 'STAFF', password: MEMBER_PASSWORD };
    const change = { currentPassword: MEMBER_PASSWORD, newPassword: 'the next password of mine' };
    const reset = { token: link, newPassword: MEMBER_PASSWORD };
    const refused = await until('the charge has arrived', async () => {
      const reply = await login(salon.email, salon.password, address);
      return reply.status === 429 && reply;
    });
    for (const reply of [
      refused,
      await api.as(null).post('/auth/signup', { ...NEW, user: { ...person, role: undefined } }, from(address)),
      await member.api.post('/users', person, from(address)),
      await member.api.post('/auth/password', change, from(address)),
      await api.as(null).post('/auth/password/reset', reset, from(address)),
    ])
      expectProblem(reply, 'rate_limited');
    expect((await login(salon.email, salon.password, '192.0.2.31')).status).toBe(200);
  });

  test('is charged to the company of whoever gets in, and not by the guesses of strangers', async () => {
    const busy = await openCompany(world);
    await charge(`work-of:${uuidOf('comp', busy.companyId)}`, 29);
    expectProblem(await login(busy.email, 'a wrong guess', '192.0.2.40'), 'invalid_credentials');
    const { password, email } = busy;
    const person = { name: 'x', email: `${crypto.randomUUID()}@example.com`, role: 'STAFF', password };
    const made = await patiently(() => busy.api.post('/users', person, from('192.0.2.41')));
    expect(made.status, made.text).toBe(201);
    expectProblem(await login(email, password, '192.0.2.42'), 'rate_limited');
    expectProblem(
      await busy.api.post('/users', { ...person, email: 'x@example.com' }, from('192.0.2.43')),
      'rate_limited',
    );
    expect((await login(salon.email, salon.password, '192.0.2.42')).status).toBe(200);
  });
});

describe('refreshes', () => {
  const refresh = (refreshToken: unknown, address: string) =>
    api.as(null).post('/auth/refresh', { refreshToken }, from(address));
  const rows = (token: string) =>
    world.sql<{ n: number }>(
      `select count(*)::int n from refresh_tokens where session_id in (select session_id from refresh_tokens where hash = sha256(convert_to($1, 'UTF8')))`,
      [token],
    );

  test('of one session are limited, and what was refused is as good later', async () => {
    const { refreshToken } = await addMember(world, salon, 'STAFF');
    let token: unknown = refreshToken;
    for (let i = 0; i < 6; i += 1) token = (await refresh(token, '192.0.2.50')).json.refreshToken;
    const refused = await refresh(token, '192.0.2.51');
    expectProblem(refused, 'rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await world.sql(`update refresh_tokens set used_at = used_at - interval '16 minutes'`, [], 'cp_owner');
    expect((await refresh(token, '192.0.2.51')).status).toBe(200);
  });

  test('leave at most a hundred used tokens of a session', async () => {
    const { refreshToken } = await addMember(world, salon, 'STAFF');
    await world.sql(
      `insert into refresh_tokens (company_id, session_id, hash, used_at)
        select company_id, session_id, sha256(hash || n::text::bytea), clock_timestamp() - interval '1 hour' - n * interval '1 minute'
        from refresh_tokens, generate_series(1, 300) n where hash = sha256(convert_to($1, 'UTF8'))`,
      [refreshToken],
      'cp_owner',
    );
    const next = await refresh(refreshToken, '192.0.2.52');
    expect(next.status).toBe(200);
    expect(await rows(refreshToken)).toEqual([{ n: 101 }]);
    // The one before is still known: sent again too late, it ends the session.
    await world.sql(`update refresh_tokens set used_at = used_at - interval '11 seconds'`, [], 'cp_owner');
    expectProblem(await refresh(refreshToken, '192.0.2.52'), 'invalid_refresh_token');
    expectProblem(await refresh(next.json.refreshToken, '192.0.2.52'), 'invalid_refresh_token');
  });

  test('of one address are limited, those of right tokens too', async () => {
    const { refreshToken } = await addMember(world, salon, 'STAFF');
    await charge('refresh-from:192.0.2.60', 99);
    const next = await refresh(refreshToken, '192.0.2.60');
    expect(next.status).toBe(200);
    const again = await until('the charge has arrived', async () => {
      const reply = await refresh('x', '192.0.2.60');
      return reply.status === 429 && reply;
    });
    expectProblem(again, 'rate_limited');
    expect((await refresh(next.json.refreshToken, '192.0.2.61')).status).toBe(200);
  });
});
