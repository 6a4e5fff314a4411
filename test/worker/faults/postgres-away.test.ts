import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../local/bridge-http.ts';
import { addMember, redisOf } from '../../support/accounts.ts';
import type { Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { wellAgain } from '../../support/outage.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { openRedis } from '../../support/redis.ts';
import { make } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Postgres away, and callers who leave: what is cached is still answered, and a write is done or not.

const world = await ownWorld({ REDIS_DEADLINE_MS: '250' });
const redis = openRedis(world);
afterAll(() => redis.stop());
let salon: Tenant = await openCompany(world);
const there = salon.api.at((await world.another()).url);
beforeEach(async () => {
  // Whether a session lives is known for half a minute; these suites take the one away who would be asked then.
  salon = { ...salon, api: (await addMember(world, salon, 'OWNER')).api };
});
afterEach(() => wellAgain(world, salon.api));

/** While Postgres is away, what is cached is answered where the watch vouches for Redis: not right after trouble with it. */
const vouched = (): Promise<true> =>
  until('the watch vouches for Redis again', async () => {
    await salon.api.get('/clients');
    return Number(await redis.get(`v1:${world.vars.ENVIRONMENT}:beat`)) > Date.now() - 2000;
  });

test.each(['refuse', 'garbage'] satisfies Fault[])(
  'Postgres %s: what is cached is still answered, marked when it may be old',
  async (fault) => {
    await vouched();
    const [known, changed] = [await make(salon.api, 'clients'), await make(salon.api, 'clients')];
    for (const id of [known, changed]) await salon.api.get(`/clients/${id}`);
    const old = await salon.api.get(`/clients/${changed}`);
    const written = await there.patch(`/clients/${changed}`, { notes: 'newer' });
    // This read tells the isolate of the write, and recomputes another object.
    await salon.api.get(`/clients/${known}`, { headers: { 'Min-Revision': String(written.revision) } });
    world.neon.setFault(fault);
    const hit = await salon.api.get(`/clients/${known}`);
    expect([hit.status, hit.headers.get('x-cache')], hit.text).toEqual([200, 'HIT']);
    const stale = await until('what changed is answered as it was', async () => {
      const read = await salon.api.get(`/clients/${changed}`);
      return read.headers.get('x-cache') === 'STALE' && read;
    });
    expect([stale.status, stale.text]).toEqual([200, old.text]);
    expect(stale.revision).toBeLessThan(written.revision);
    expect(stale.headers.get('cache-status')).toContain('fwd=stale');
    const min = { headers: { 'Min-Revision': String(written.revision) } };
    for (const reply of [
      await salon.api.get(`/clients/${changed}`, min),
      await salon.api.get(`/clients?limit=${(unique() % 90) + 1}`, { headers: { 'Cache-Control': 'no-cache' } }),
      await salon.api.get('/events'),
    ]) {
      expectProblem(reply, 'database_unavailable');
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  },
);

test('Postgres away for long: who was signed in reads on what is cached, who was signed out or changed does not', async () => {
  await vouched();
  const records = redisOf(world);
  const members = {
    stays: await addMember(world, salon, 'STAFF'),
    leaves: await addMember(world, salon, 'STAFF'),
    archived: await addMember(world, salon, 'STAFF'),
    lowered: await addMember(world, salon, 'ADMIN'),
  };
  const { stays, leaves, archived, lowered } = members;
  const path = `/clients/${await make(salon.api, 'clients')}`;
  const cached = await salon.api.get(path);
  await records.forget('session:*');
  await leaves.api.post('/auth/logout');
  await salon.api.delete(`/users/${archived.id}`);
  await salon.api.patch(`/users/${lowered.id}`, { role: 'READONLY' });
  await until('the marks are set', async () => (await records.lives('ended:*')).size >= 3);
  world.neon.setFault('refuse');
  const far = await world.another();
  const read = await stays.api.at(far.url).get(path);
  expect([read.status, read.text], read.text).toEqual([200, cached.text]);
  for (const gone of [leaves, archived, lowered]) {
    expectProblem(await gone.api.at(far.url).get(path), 'database_unavailable');
  }
  // Without a word of Redis nobody is let in whom the isolate does not know.
  world.upstash.setFault('refuse');
  const farther = await world.another();
  expectProblem(await stays.api.at(farther.url).get(path), 'database_unavailable');
});

test('a stale answer says hit or fwd, not both', async () => {
  const id = await make(salon.api, 'clients');
  await salon.api.get(`/clients/${id}`);
  await there.patch(`/clients/${id}`, { notes: 'newer' });
  world.neon.setFault('refuse');
  const stale = await until('a stale answer', async () => {
    const read = await salon.api.get(`/clients/${id}`);
    return read.headers.get('x-cache') === 'STALE' && read;
  });
  expect(stale.headers.get('cache-status')).not.toMatch(/; hit;.*fwd=/);
});

test.each(['refuse', 'garbage'] satisfies Fault[])(
  'Postgres %s: writes fail cleanly, and afterwards all is right',
  async (fault) => {
    const id = await make(salon.api, 'clients');
    const before = await salon.api.get('/events');
    world.neon.setFault(fault);
    for (const reply of [
      await salon.api.post('/clients', { firstName: 'never' }, { headers: { 'Idempotency-Key': `k-${fault}` } }),
      await salon.api.patch(`/clients/${id}`, { notes: 'never' }),
      await salon.api.delete(`/clients/${id}`),
      await salon.api.patch('/company', { name: 'never' }),
    ]) {
      expectProblem(reply, 'database_unavailable', ['outcome']);
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    world.neon.setFault(null);
    const created = await until('writes work again', async () => {
      const reply = await salon.api.post(
        '/clients',
        { firstName: 'never' },
        { headers: { 'Idempotency-Key': `k-${fault}` } },
      );
      return reply.status !== 503 && reply;
    });
    expect([created.status, created.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(created.revision).toBe(Number(before.json.head) + 1);
    const [row] = await world.sql(
      'select h.revision::int as head, count(c.*)::int as logged from company_heads h left join changes c using (company_id) where company_id = $1 group by h.revision',
      [uuidOf('comp', salon.companyId)],
    );
    expect(row).toEqual({ head: created.revision, logged: created.revision });
    expect(
      (await there.get(`/clients/${id}`, { headers: { 'Min-Revision': String(created.revision) } })).json.notes,
    ).toBeNull();
  },
);

test.each(['before', 'after'] as const)(
  'a client that leaves %s the commit neither undoes nor half-does its write',
  async (when) => {
    const leave = new AbortController();
    const gone = Promise.withResolvers<void>();
    const hook = (request: { readOnly: boolean }): unknown => {
      if (request.readOnly) return undefined;
      leave.abort();
      return gone.promise;
    };
    world.neon.setHooks(when === 'before' ? { onRequest: hook } : { afterCommit: hook });
    const firstName = `Left ${unique()}`;
    const request = fetch(`${salon.api.url}/api/v1/clients`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${salon.api.token}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': firstName.replace(' ', '-'),
      },
      body: JSON.stringify({ firstName }),
      signal: leave.signal,
    });
    await expect(request).rejects.toThrow();
    gone.resolve();
    world.neon.setHooks({ onRequest: null, afterCommit: null });
    // Done, told to Redis (the other isolate finds out without Min-Revision), and told to the room.
    await until('another isolate sees it', async () => (await there.get('/clients')).text.includes(firstName), 10_000);
    const again = await salon.api.post(
      '/clients',
      { firstName },
      { headers: { 'Idempotency-Key': firstName.replace(' ', '-') } },
    );
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const rows = await world.sql('select 1 from clients where first_name = $1', [firstName]);
    expect(rows.length).toBe(1);
  },
);
