import { expect, test } from 'vitest';
import { formatId, newUuid } from '../../../src/core/id.ts';
import type { Api, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { operationOf } from '../../support/operations.ts';
import { cachedPaths, shareOfEach } from '../../support/paths.ts';
import { recordedOwner } from '../../support/recorded-session.ts';
import { monitor } from '../../support/redis.ts';
import { aim, fire, makeEach, mutations, topics } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { inOneMinute, stillness } from '../../support/until.ts';

// The round-trip budget, counted where the trips arrive: at the bridges of Redis and Postgres.

const world = await ownWorld();
const salon = await openCompany(world);
const owner = recordedOwner(world, salon);
const ids: Record<string, string> = await makeEach(salon.api);

type Trips = { redis: number; postgres: number };
const now = (): Trips => ({ redis: world.upstash.counts().requests, postgres: world.neon.counts().requests });
const quiet = stillness(() => JSON.stringify(now()));

/** The trips of what is asked, those behind the answers included. */
async function count<T>(ask: () => Promise<T>): Promise<Trips & { reply: T }> {
  await quiet();
  const before = now();
  const reply = await ask();
  await quiet();
  const after = now();
  return { reply, redis: after.redis - before.redis, postgres: after.postgres - before.postgres };
}

/** Asks while each store lets so many trips through and holds the others: an answer that waits for more never comes. */
async function within(most: Trips, ask: () => Promise<Reply>): Promise<Reply> {
  await quiet();
  world.upstash.setBudget(most.redis);
  world.neon.setBudget(most.postgres);
  try {
    return await ask();
  } finally {
    world.upstash.setBudget(null);
    world.neon.setBudget(null);
  }
}

const cachedReads = cachedPaths(Object.fromEntries(topics.map((topic, n) => [topic, `:${n}`])));
let limit = 30;
/** A list that nobody has asked for: no limit of another test, nor the one that a list has without any. */
const unasked = (): string => `/clients?limit=${limit++}`;
const at = (path: string): string => path.replace(/:(\d+)/, (_, n: string) => String(ids[topics[Number(n)] ?? '']));

test.each(topics.concat('auth', 'company', 'analytics'))(
  'every cached read of %s: a miss, then a hit',
  async (topic) => {
    const paths = cachedReads.map(at).filter((path) => operationOf('GET', path.split('?')[0] ?? '')?.topic === topic);
    const all = async (): Promise<unknown[]> => {
      const found = [];
      for (const path of paths) found.push((await salon.api.get(path)).headers.get('x-cache'));
      return found;
    };
    const misses = await count(all);
    expect(misses.reply).toEqual(paths.map(() => 'MISS'));
    expect(misses.postgres).toBe(paths.length);
    // One before each answer; behind it the fill and, every half minute, the record that the session lives.
    expect(misses.redis).toBeLessThanOrEqual(2 * paths.length + 1);
    let hits = await count(all);
    // Every half minute one of them asks whether the session still lives; those after it need not.
    if (hits.postgres === 1) hits = await count(all);
    expect(hits.reply).toEqual(paths.map(() => 'HIT'));
    expect(hits.postgres).toBe(0);
    expect(hits.redis).toBeLessThanOrEqual(paths.length);
  },
);

test('a read while the tags are fresh asks nobody', async () => {
  await salon.api.get('/clients?limit=3');
  await quiet();
  const trips: string[] = [];
  // Tags are fresh for two seconds, for which a machine may stand still, and every half minute somebody asks for the session.
  while (trips.length < 5 && trips.at(-1) !== '0 0') {
    // This one may find its tags too old; those behind it may not.
    await salon.api.get('/clients?limit=3');
    const before = now();
    for (let i = 0; i < 10; i += 1) {
      for (const headers of [{}, { 'If-None-Match': '*', 'Cache-Control': 'max-age=0' }]) {
        expect([200, 304]).toContain((await salon.api.get('/clients?limit=3', { headers })).status);
      }
    }
    trips.push(`${now().redis - before.redis} ${now().postgres - before.postgres}`);
  }
  expect(trips.at(-1), trips.join()).toBe('0 0');
});

test('a miss waits for each store once, whatever goes on behind its answer', async () => {
  const { url } = await world.another({ REDIS_DEADLINE_MS: '60000' });
  const api = salon.api.at(url);
  await api.get('/clients');
  const path = unasked();
  const miss = await within({ redis: 1, postgres: 1 }, () => api.get(path));
  expect([miss.status, miss.headers.get('x-cache')]).toEqual([200, 'MISS']);
});

test('a write waits for each store once, whatever goes on behind its answer', async () => {
  const { url } = await world.another({ REDIS_DEADLINE_MS: '60000' });
  const api = salon.api.at(url);
  await api.get('/clients');
  const written = await within({ redis: 1, postgres: 1 }, () => api.post('/clients', { firstName: 'far' }));
  expect(written.status).toBe(201);
});

test('when the tags are no longer fresh a hit asks Redis once and Postgres never', async () => {
  const strict = await world.another({ CACHE_MAX_STALENESS_MS: '0', EDGE_CACHE: 'off' });
  const api = salon.api.at(strict.url);
  await api.get('/clients');
  for (let i = 0; i < 3; i += 1) {
    const hit = await count(() => api.get('/clients'));
    expect([hit.reply.headers.get('x-cache'), hit.redis, hit.postgres]).toEqual(['HIT', 1, 0]);
  }
  const same = await count(() =>
    api.get('/clients', { headers: { 'If-None-Match': '*', 'Cache-Control': 'max-age=0' } }),
  );
  expect([same.reply.status, same.redis, same.postgres]).toEqual([304, 1, 0]);
});

test('commands, which are what is billed, those inside scripts too: a cold hit 3, a miss 4, a write 6', () =>
  inOneMinute(async () => {
    const strict = await world.another({ CACHE_MAX_STALENESS_MS: '0', EDGE_CACHE: 'off' });
    const api = salon.api.at(strict.url);
    const commands = await monitor(world);
    const of = async (ask: () => Promise<Reply>): Promise<string[]> => {
      await count(async () => commands.take());
      await count(ask);
      return commands.take();
    };
    try {
      const path = unasked();
      // The first of a minute also gives the count of the rate limit its end, and asks whether the session lives.
      await api.get('/clients');
      await api.patch('/company', { name: `Salon ${unique()}` });
      expect(await of(() => api.get(path))).toEqual(['HMGET', 'MGET', 'INCRBY', 'SET']);
      expect(await of(() => api.get(path))).toEqual(['HMGET', 'MGET', 'INCRBY']);
      expect(await of(() => api.patch('/company', { name: `Salon ${unique()}` }))).toEqual([
        'EVAL',
        'HMGET',
        'HSET',
        'GET',
        'INCRBY',
      ]);
    } finally {
      commands.stop();
    }
  }));

test('a session this isolate has not met costs at most one trip to each, and the next isolate none to Postgres', async () => {
  const path = unasked();
  await salon.api.get(path);
  const isolate = async (): Promise<Api> => salon.api.at((await world.another({ EDGE_CACHE: 'off' })).url);
  const first = await count(async () => (await isolate()).get(path));
  expect(first.reply.headers.get('x-cache')).toBe('HIT');
  expect(first.postgres).toBeLessThanOrEqual(1);
  expect(first.redis).toBeLessThanOrEqual(2);
  const second = await count(async () => (await isolate()).get(path));
  expect([second.reply.headers.get('x-cache'), second.redis, second.postgres]).toEqual(['HIT', 1, 0]);
});

/**
 * Trips to Postgres beside the transaction, at most: a snapshot shows what is not remembered of the calendar that a booking is
 * planned from, and a move looks at what is moved.
 */
const PLANNING: Record<string, number> = {
  'POST /appointments': 1,
  'POST /appointments/bulk': 1,
  'POST /holds': 1,
  'POST /appointments/:id/reschedule': 2,
  // Told by an instant, it asks first what clocks show then.
  'POST /appointments/series': 2,
  'PATCH /appointments/series/:id': 1,
  'DELETE /appointments/series/:id': 1,
};

test.each(shareOfEach(mutations, 3).map((route) => [route.name, route] as const))(
  '%s: at most 2 Redis, exactly 1 Postgres beside what plans it',
  async (_, route) => {
    const shot = await aim(route, salon);
    const { reply, redis, postgres } = await count(() => fire(salon.api, shot));
    expect(reply.status, reply.text).toBe(route.spec.success.status);
    expect(postgres).toBeGreaterThanOrEqual(1);
    expect(postgres).toBeLessThanOrEqual(1 + (PLANNING[route.name] ?? 0));
    // Behind the answer an erasure also looks for what Redis still holds, and deletes it.
    expect(redis).toBeLessThanOrEqual(route.spec.path.endsWith('/erase') ? 4 : 2);
  },
);

test('what is refused costs no more than what is done', async () => {
  const id = ids.clients;
  const cases: [string, (api: Api) => Promise<Reply>, Trips][] = [
    ['no token', (api) => api.as(null).get('/clients'), { redis: 0, postgres: 0 }],
    ['no such path', (api) => api.get('/nothing'), { redis: 0, postgres: 0 }],
    ['unknown parameter', (api) => api.get('/clients?x=1'), { redis: 1, postgres: 0 }],
    ['malformed', (api) => api.ask('POST', '/clients', { raw: '{' }), { redis: 1, postgres: 0 }],
    ['invalid', (api) => api.patch(`/clients/${id}`, { x: 1 }), { redis: 1, postgres: 1 }],
    ['version', (api) => api.delete(`/clients/${id}`, { headers: { 'If-Match': '"99"' } }), { redis: 1, postgres: 1 }],
    ['no such row', (api) => api.get(`/clients/${formatId('clnt', newUuid())}`), { redis: 1, postgres: 1 }],
  ];
  for (const [name, ask, most] of cases) {
    const api = await owner();
    const { reply, redis, postgres } = await count(() => ask(api));
    expect(reply.status, name).toBeGreaterThanOrEqual(400);
    expect(redis, name).toBeLessThanOrEqual(most.redis);
    expect(postgres, name).toBeLessThanOrEqual(most.postgres);
  }
});

test('a Min-Revision the company has not reached costs one trip to Postgres', async () => {
  const { reply, postgres } = await count(() => salon.api.get('/clients', { headers: { 'Min-Revision': '99999' } }));
  expect([reply.status, postgres]).toEqual([400, 1]);
});

test('many at once who miss the same share one computation', async () => {
  const written = await salon.api.post('/clients', { firstName: 'new' });
  await quiet();
  const before = now();
  const commands = await monitor(world);
  world.neon.setDelay(50);
  const replies = await Promise.all(Array.from({ length: 20 }, () => salon.api.get('/clients?sort=-name')));
  world.neon.setDelay(0);
  await quiet();
  const kept = commands.take().filter((command) => /^set$/i.test(command)).length;
  commands.stop();
  // Once for each computation.
  expect(kept).toBeLessThanOrEqual(3);
  for (const reply of replies) expect(reply.text).toBe(replies[0]?.text);
  expect(replies[0]?.text).toContain(String(written.json.id));
  expect(now().postgres - before.postgres).toBeLessThanOrEqual(3);
});
