import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addKey, addMember, type Member, redisOf, signIn } from '../../support/accounts.ts';
import { PASSWORD, type Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { until } from '../../support/until.ts';
import { openWorld, type World } from '../../support/world.ts';

// Revocation: at once on writes, within 60 s on reads. No test waits a minute: what holds the bound is shown piece by
// piece, here the record in Redis (at most 30 s) and readers who must ask; unit/accounts/believed.test.ts has the clock.

let world: World;
let salon: Tenant;
let redis: ReturnType<typeof redisOf>;
beforeAll(async () => {
  world = await openWorld({ LOGIN_LIMIT: '1000' });
  salon = await openCompany(world);
  redis = redisOf(world);
});
afterAll(() => world.close());

const write = (member: Member) => member.api.post('/clients', { firstName: 'x' });

describe('logout', () => {
  test('204, again 204; writes and reads end', async () => {
    const session = await signIn(world.api, salon.email, PASSWORD);
    expect((await session.api.get('/clients')).status).toBe(200);
    const first = await session.api.post('/auth/logout');
    expect([first.status, first.text]).toEqual([204, '']);
    expect((await session.api.post('/auth/logout')).status).toBe(204);
    expectProblem(await write(session), 'session_revoked');
    expectProblem(await session.api.get('/clients'), 'session_revoked');
    expectProblem(await session.api.get('/auth/me'), 'session_revoked');
    expectProblem(
      await world.api.post('/auth/refresh', { refreshToken: session.refreshToken }),
      'invalid_refresh_token',
    );
    expect((await salon.api.get('/clients')).status).toBe(200);
  });

  test('another isolate that has not asked lately refuses at once: the record in Redis is gone', async () => {
    const other = await world.another();
    const session = await signIn(world.api, salon.email, PASSWORD);
    const third = await world.another();
    expect((await session.api.at(third.url).get('/clients')).status).toBe(200);
    await until('the record is in Redis', async () => (await redis.lives('session:*')).size > 0);
    await session.api.post('/auth/logout');
    expectProblem(await session.api.at(other.url).get('/clients'), 'session_revoked');
  });

  test('needs a session: anonymous 401, key 403', async () => {
    expectProblem(await world.api.post('/auth/logout'), 'unauthenticated');
    const key = await addKey(salon.api, ['admin']);
    expectProblem(await key.api.post('/auth/logout'), 'forbidden');
    expect((await key.api.get('/company')).status).toBe(200);
  });
});

describe('the bound of reads', () => {
  test('a session ended behind the API’s back: writes at once, reads when nobody remembers', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const [warm, cold] = [await world.another(), await world.another()];
    expect((await member.api.at(warm.url).get('/clients')).status).toBe(200);
    const records = await until('the record is in Redis', async () => {
      const found = await redis.lives('session:*');
      return found.size > 0 && found;
    });
    for (const life of records.values()) expect(life).toBeLessThanOrEqual(30_000);
    for (const life of records.values()) expect(life).toBeGreaterThan(0);
    await world.sql('update sessions set revoked_at = clock_timestamp() where user_id = $1', [member.uuid], 'cp_owner');
    expectProblem(await member.api.at(warm.url).post('/clients', { firstName: 'x' }), 'session_revoked');
    // Within the bound the record still vouches, on reads only.
    expect((await member.api.at(cold.url).get('/clients')).status).toBe(200);
    await redis.forget('session:*');
    const later = await world.another();
    expectProblem(await member.api.at(later.url).get('/clients'), 'session_revoked');
  });

  test('Redis down: Postgres is asked', async () => {
    const member = await addMember(world, salon, 'STAFF');
    await member.api.post('/auth/logout');
    const other = await world.another();
    world.upstash.setFault('refuse');
    try {
      expectProblem(await member.api.at(other.url).get('/clients'), 'session_revoked');
      expect((await salon.api.at(other.url).get('/clients')).status).toBe(200);
    } finally {
      world.upstash.setFault(null);
    }
  });
});

describe('changed roles', () => {
  test('lowered: the writes of the old role end at once, those of the new one go on', async () => {
    const member = await addMember(world, salon, 'ADMIN');
    expect((await member.api.patch(`/users/${member.id}`, { name: 'Boss' })).status).toBe(200);
    expect((await salon.api.patch(`/users/${member.id}`, { role: 'STAFF' })).status).toBe(200);
    expectProblem(await member.api.patch(`/users/${member.id}`, { name: 'Still boss' }), 'forbidden');
    expectProblem(await member.api.post('/api-keys', { name: 'k', scopes: ['admin'] }), 'forbidden');
    expect((await write(member)).status).toBe(201);
  });

  test('lowered: reads end when asked afresh, with the hint to refresh', async () => {
    const member = await addMember(world, salon, 'ADMIN');
    expect((await member.api.get('/users')).status).toBe(200);
    await salon.api.patch(`/users/${member.id}`, { role: 'READONLY' });
    await redis.forget('session:*');
    const other = await world.another();
    expectProblem(await member.api.at(other.url).get('/users'), 'token_expired');
    expectProblem(await member.api.at(other.url).get('/clients'), 'token_expired');
  });

  test('archived: writes end at once, reads when asked afresh, sign-in too', async () => {
    const member = await addMember(world, salon, 'MANAGER');
    expect((await salon.api.delete(`/users/${member.id}`)).status).toBe(200);
    expectProblem(await write(member), 'session_revoked');
    await redis.forget('session:*');
    const other = await world.another();
    expectProblem(await member.api.at(other.url).get('/clients'), 'session_revoked');
    expectProblem(
      await world.api.post('/auth/login', { email: member.email, password: 'another horse battery' }),
      'invalid_credentials',
    );
  });
});
