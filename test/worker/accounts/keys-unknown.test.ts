import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addKey, redisOf } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { once } from '../../support/once.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import { openRedis } from '../../support/redis.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const neighbour = await openCompany(world);
const redis = redisOf(world);
/** One that counts to one. */
const counting = once(() => world.another({ LOGIN_LIMIT: '1' }));

describe('no key at all', () => {
  test('malformed, unknown, altered: one answer, which tells nothing', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    await key.api.get('/clients');
    const foreign = await addKey(neighbour.api, ['clients:read']);
    const parts = [key.secret.slice(9, 31), key.secret.slice(32, 54), key.secret.slice(55)];
    const random = randomBytes(32).toString('base64url');
    const bad = [
      'cpk_live_x',
      `${key.secret}=`,
      `cpk_test_${key.secret.slice(9)}`,
      `cpk_live_${parts[0]}_${parts[1]}_${random}`,
      `cpk_live_${randomBytes(16).toString('base64url')}_${parts[1]}_${parts[2]}`,
      `cpk_live_${foreign.secret.slice(9, 31)}_${parts[1]}_${parts[2]}`,
      `cpk_live_${parts[0]}_${foreign.secret.slice(32, 54)}_${foreign.secret.slice(55)}`,
      `cpk_live_${parts[0]}_${randomBytes(16).toString('base64url')}_${parts[2]}`,
    ];
    const answers = [];
    for (const text of bad) {
      for (const reply of [
        await salon.api.as(text).get('/clients'),
        await salon.api.as(text).get('/clients?limit=x'),
      ]) {
        expectProblem(reply, 'unauthenticated');
        expect(reply.headers.has('revision')).toBe(false);
        expect(reply.headers.has('ratelimit')).toBe(false);
        answers.push(JSON.stringify(gist(reply)));
      }
      expectProblem(await salon.api.as(text).post('/clients', { firstName: 5 }), 'unauthenticated');
      expectProblem(await salon.api.as(text).get('/events?after=x'), 'unauthenticated');
      expectProblem(await salon.api.as(text).get('/auth/me'), 'unauthenticated');
    }
    expect(new Set(answers).size).toBe(1);
    expect((await key.api.get('/clients')).status).toBe(200);
  });

  test('counted by address and refused before the database; real keys that are remembered go on', async () => {
    const strict = world.api.at((await counting()).url);
    const key = await addKey(salon.api, ['clients:read']);
    const made = `${key.secret.slice(0, 55)}${'A'.repeat(43)}`;
    const from = (token: string) => strict.as(token).get('/clients', { headers: { 'CF-Connecting-IP': '192.0.2.9' } });
    expect((await from(key.secret)).status).toBe(200);
    for (let i = 0; i < 5; i += 1) expectProblem(await from(made), 'unauthenticated');
    for (let i = 0; i < 5; i += 1) expectProblem(await from('cpk_live_x'), 'unauthenticated');
    const refused = await until('the count arrived', async () => {
      const reply = await from(made);
      return reply.status === 429 && reply;
    });
    expectProblem(refused, 'rate_limited');
    const before = world.neon.counts().requests;
    expectProblem(await from(made), 'rate_limited');
    expectProblem(
      await strict.as(made).post('/clients', {}, { headers: { 'CF-Connecting-IP': '192.0.2.9' } }),
      'rate_limited',
    );
    expectProblem(await from('cpk_live_x'), 'rate_limited');
    expect(world.neon.counts().requests).toBe(before);
    expect((await from(key.secret)).status).toBe(200);
    expectProblem(
      await strict.as(made).get('/clients', { headers: { 'CF-Connecting-IP': '192.0.2.10' } }),
      'unauthenticated',
    );
  });

  test('a revoked key is no guess: it does not count', async () => {
    const strict = world.api.at((await counting()).url);
    const key = await addKey(salon.api, ['clients:read']);
    await salon.api.delete(`/api-keys/${key.id}`);
    const headers = { 'CF-Connecting-IP': '192.0.2.20' };
    for (let i = 0; i < 12; i += 1)
      expectProblem(await strict.as(key.secret).get('/clients', { headers }), 'session_revoked');
  });

  test('made-up keys use up nobody’s rate limit', async () => {
    const tight = salon.api.at((await world.another({ RATE_LIMIT_PER_MINUTE: '1000' })).url);
    const left = async () => Number(/r=(\d+)/.exec((await tight.get('/clients')).headers.get('ratelimit') ?? '')?.[1]);
    const made = `cpk_live_${Buffer.from(uuidOf('comp', salon.companyId).replaceAll('-', ''), 'hex').toString('base64url')}_${'A'.repeat(22)}_${'A'.repeat(43)}`;
    const before = await left();
    for (let i = 0; i < 20; i += 1) await tight.as(made).get('/clients');
    expect(await left()).toBeGreaterThanOrEqual(before - 2);
  });

  test('a record that somebody wrote into Redis vouches for nothing', async () => {
    const away = String(world.elsewhere[0]);
    const { secret, uuid } = await addKey(salon.api, ['clients:read']);
    const made = `${secret.slice(0, 55)}${'B'.repeat(43)}`;
    const hash = createHash('sha256').update(made).digest('hex');
    const forged = JSON.stringify([hash, null, ['clients:read', 'admin']]);
    const direct = openRedis(world);
    try {
      const place = `v1:${world.vars.ENVIRONMENT}:key:${uuid}`;
      for (const record of [forged, `${'A'.repeat(43)}.${Date.now() + 60_000}.${forged}`]) {
        await direct.set(place, record);
        expectProblem(await salon.api.at(away).as(made).get('/clients'), 'unauthenticated');
      }
      // The one we write is signed, and worth nothing under another key.
      const other = await addKey(salon.api, ['clients:read']);
      await other.api.at(away).get('/clients');
      const [own] = await until('the record', async () => {
        const keys = await direct.keys(`key:${other.uuid}`);
        return keys.length > 0 && keys;
      });
      await direct.set(place, String(await direct.get(String(own))));
      expectProblem(await salon.api.at(away).as(made).get('/clients'), 'unauthenticated');
    } finally {
      direct.stop();
    }
  });

  test('nothing of them is remembered', async () => {
    const key = await addKey(salon.api, ['clients:read']);
    const made = `${key.secret.slice(0, 55)}${'A'.repeat(43)}`;
    const reply = await salon.api.at(String(world.elsewhere[0])).as(made).get('/clients?limit=7');
    expectProblem(reply, 'unauthenticated');
    expect((await redis.lives(`key:${key.uuid}`)).size).toBe(0);
  });
});
