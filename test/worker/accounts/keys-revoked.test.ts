import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addKey, redisOf } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await ownWorld({ LOGIN_LIMIT: '1000' }, 4);
const salon = await openCompany(world);
const [second = '', third = '', fourth = ''] = world.elsewhere;
const redis = redisOf(world);

describe('revocation', () => {
  test('at once on writes; on reads at once where nobody remembers', async () => {
    const key = await addKey(salon.api, ['clients:write']);
    const warm = key.api.at(second);
    expect((await warm.get('/clients')).status).toBe(200);
    await until('the record is in Redis', async () => (await redis.lives(`key:${key.uuid}`)).size === 1);
    for (const life of (await redis.lives(`key:${key.uuid}`)).values()) expect(life).toBeLessThanOrEqual(30_000);
    expect((await salon.api.delete(`/api-keys/${key.id}`)).status).toBe(200);
    expect((await redis.lives(`key:${key.uuid}`)).size).toBe(0);
    expectProblem(await warm.post('/clients', { firstName: 'x' }), 'session_revoked');
    expectProblem(await key.api.get('/clients'), 'session_revoked');
    expectProblem(await key.api.at(third).get('/clients'), 'session_revoked');
  });

  test('revoked in SQL: writes at once; the record in Redis ends by itself', async () => {
    const key = await addKey(salon.api, ['clients:write']);
    expect((await key.api.get('/clients')).status).toBe(200);
    await until('the record is in Redis', async () => (await redis.lives(`key:${key.uuid}`)).size === 1);
    await world.sql('update api_keys set revoked_at = clock_timestamp() where id = $1', [key.uuid], 'cp_owner');
    expectProblem(await key.api.post('/clients', { firstName: 'x' }), 'session_revoked');
    const cold = key.api.at(second);
    expect((await cold.get('/clients')).status).toBe(200);
    await redis.forget('key:*');
    expectProblem(await key.api.at(third).get('/clients'), 'session_revoked');
  });

  test('over by its date', async () => {
    // Long enough for two requests on a machine that is busy.
    const key = await addKey(salon.api, ['clients:write'], { expiresAt: new Date(Date.now() + 5000).toISOString() });
    expect((await key.api.get('/clients')).status).toBe(200);
    await until('it is over', async () => (await key.api.get('/clients')).status === 401);
    expectProblem(await key.api.get('/clients'), 'session_revoked');
    expectProblem(await key.api.post('/clients', { firstName: 'x' }), 'session_revoked');
  });
});

describe('round trips and traces', () => {
  test('a key nobody remembers costs no trip of its own on a read', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    const dbTrips = (header: string | null) => Number(/db;dur=\d+;desc="(\d+)"/.exec(header ?? '')?.[1] ?? 0);
    const redisTrips = (header: string | null) => Number(/redis;dur=\d+;desc="(\d+)"/.exec(header ?? '')?.[1] ?? 0);
    const trips = async (api: typeof key.api) => {
      const timing = (await api.get('/clients?limit=9')).headers.get('server-timing');
      return [redisTrips(timing), dbTrips(timing)];
    };
    expect(await trips(key.api)).toEqual([1, 1]);
    await until('the record is in Redis', async () => (await redis.lives(`key:${key.uuid}`)).size === 1);
    const cold = key.api.at(second);
    const [redisCold, dbCold] = await trips(cold);
    expect(redisCold).toBe(1);
    expect(dbCold).toBeLessThanOrEqual(1);
    expect(await trips(cold)).toEqual([0, 0]);
  });

  test('Redis down: keys work, from Postgres', async () => {
    const key = await addKey(salon.api, ['clients:write']);
    const cold = key.api.at(fourth);
    world.upstash.setFault('refuse');
    try {
      expect((await cold.get('/clients')).status).toBe(200);
      expect((await cold.post('/clients', { firstName: 'x' })).status).toBe(201);
      expectProblem(await cold.as(`${key.secret.slice(0, -4)}AAAA`).get('/clients'), 'unauthenticated');
    } finally {
      world.upstash.setFault(null);
    }
  });

  test('when it was last used is kept apart from the log', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    const head = (await salon.api.get('/events?limit=1')).json.head;
    for (let i = 0; i < 3; i += 1) await key.api.get('/clients');
    const stamp = () =>
      world.sql<{ at: Date }>('select last_used_at at from api_key_secrets where key_id = $1', [key.uuid]);
    await until('it is stamped', async () => (await stamp())[0]?.at);
    const first = (await stamp())[0]?.at;
    await key.api.at(second).get('/clients');
    expect((await stamp())[0]?.at).toEqual(first);
    expect((await salon.api.get('/events?limit=1')).json.head).toBe(head);
  });

  test('the secret is nowhere but in its one answer', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    await key.api.get('/clients');
    await salon.api.as(`${key.secret.slice(0, -4)}AAAA`).get('/clients');
    const tail = key.secret.slice(55);
    const lists = [
      await salon.api.get('/api-keys?limit=100'),
      await salon.api.get(`/api-keys/${key.id}`),
      await salon.api.get('/events?limit=500'),
    ];
    for (const reply of lists) expect(reply.text).not.toContain(tail);
    expect(world.worker.logs.join('\n')).not.toContain(tail);
    const rows = await world.sql<{ found: number }>(
      `select (select count(*) from changes where after::text like '%' || $1 || '%')::int + (select count(*) from idempotency_keys where result::text like '%' || $1 || '%')::int
        + (select count(*) from api_key_secrets where encode(hash, 'escape') like '%' || $1 || '%')::int found`,
      [tail],
    );
    expect(rows).toEqual([{ found: 0 }]);
  });

  test('the application’s role can neither read nor replace a hash', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    await expect(world.sql('select hash from api_key_secrets', [], 'cp_app')).rejects.toThrow(/permission denied/);
    await expect(
      world.sql('select app.keep_key_hash($1, $2)', [key.uuid, randomBytes(32)], 'cp_app'),
    ).rejects.toThrow();
    for (const table of ['api_key_secrets', 'one_time_tokens', 'credentials', 'sessions', 'refresh_tokens', 'users'])
      await expect(world.sql(`select * from ${table}`, [], 'cp_auth'), table).rejects.toThrow(/permission denied/);
  });
});
