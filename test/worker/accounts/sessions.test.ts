import { describe, expect, test } from 'vitest';
import {
  addKey,
  addMember,
  MEMBER_PASSWORD,
  type Member,
  redisOf,
  signIn,
  signInOwner,
} from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Revocation: at once on writes, within 60 s on reads. No test waits a minute: what holds the bound is shown piece by
// piece, here the record in Redis (at most 30 s) and readers who must ask; unit/accounts/believed.test.ts has the clock.

const world = await ownWorld({ LOGIN_LIMIT: '1000' }, 4);
const salon = await openCompany(world);
const [second = '', third = '', fourth = ''] = world.elsewhere;
const redis = redisOf(world);

const write = (member: Pick<Member, 'api'>) => member.api.post('/clients', { firstName: 'x' });

describe('logout', () => {
  test('204, again 204; writes and reads end', async () => {
    const session = await signInOwner(world, salon);
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
    const session = await signInOwner(world, salon);
    expect((await session.api.at(third).get('/clients')).status).toBe(200);
    await until('the record is in Redis', async () => (await redis.lives('session:*')).size > 0);
    await session.api.post('/auth/logout');
    expectProblem(await session.api.at(second).get('/clients'), 'session_revoked');
  });

  test('with a refresh token: its session ends too, if it is of the same user', async () => {
    const [phone, theirs] = [await addMember(world, salon, 'STAFF'), await addMember(world, salon, 'STAFF')];
    const laptop = await signIn(world.api, phone.email, MEMBER_PASSWORD);
    const renew = (refreshToken: string) => world.api.post('/auth/refresh', { refreshToken });
    for (const refreshToken of [theirs.refreshToken, `cpr_${'a'.repeat(43)}`, 'nonsense', '', undefined]) {
      const reply = await phone.api.post('/auth/logout', { refreshToken });
      expect([reply.status, reply.text]).toEqual([204, '']);
    }
    expectProblem(await write(phone), 'session_revoked');
    expect([(await write(laptop)).status, (await renew(theirs.refreshToken)).status]).toEqual([201, 200]);
    expect((await phone.api.post('/auth/logout', { refreshToken: laptop.refreshToken })).status).toBe(204);
    expectProblem(await write(laptop), 'session_revoked');
    expectProblem(await laptop.api.get('/clients'), 'session_revoked');
    expectProblem(await renew(laptop.refreshToken), 'invalid_refresh_token');
    expect((await salon.api.get('/clients')).status).toBe(200);
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
    const [warm, cold, later] = [second, third, fourth];
    expect((await member.api.at(warm).get('/clients')).status).toBe(200);
    const records = await until('the record is in Redis', async () => {
      const found = await redis.lives('session:*');
      return found.size > 0 && found;
    });
    for (const life of records.values()) expect(life).toBeLessThanOrEqual(30_000);
    for (const life of records.values()) expect(life).toBeGreaterThan(0);
    await world.sql('update sessions set revoked_at = clock_timestamp() where user_id = $1', [member.uuid], 'cp_owner');
    expectProblem(await member.api.at(warm).post('/clients', { firstName: 'x' }), 'session_revoked');
    // Within the bound the record still vouches, on reads only.
    expect((await member.api.at(cold).get('/clients')).status).toBe(200);
    await redis.forget('session:*');
    expectProblem(await member.api.at(later).get('/clients'), 'session_revoked');
  });

  test('Redis down: Postgres is asked', async () => {
    const member = await addMember(world, salon, 'STAFF');
    await member.api.post('/auth/logout');
    world.upstash.setFault('refuse');
    try {
      expectProblem(await member.api.at(fourth).get('/clients'), 'session_revoked');
      expect((await salon.api.at(fourth).get('/clients')).status).toBe(200);
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
    expectProblem(await member.api.at(second).get('/users'), 'token_expired');
    expectProblem(await member.api.at(second).get('/clients'), 'token_expired');
  });

  test('archived: writes end at once, reads when asked afresh, sign-in too', async () => {
    const member = await addMember(world, salon, 'MANAGER');
    expect((await salon.api.delete(`/users/${member.id}`)).status).toBe(200);
    expectProblem(await write(member), 'session_revoked');
    await redis.forget('session:*');
    expectProblem(await member.api.at(second).get('/clients'), 'session_revoked');
    expectProblem(
      await world.api.post('/auth/login', { email: member.email, password: 'another horse battery' }),
      'invalid_credentials',
    );
  });
});
