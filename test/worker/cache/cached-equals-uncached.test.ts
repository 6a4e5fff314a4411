import { afterAll, expect, inject, test } from 'vitest';
import type { Api, Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { fixtures, unique } from '../../support/fixtures.ts';
import { startPair } from '../../support/pair.ts';
import { cachedPaths, pathsAfter, pathsAt, shareOf, shareOfEach } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { openRedis } from '../../support/redis.ts';
import { aim, cached, fire, make, mutations, type Route, takesId } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// F4: whatever tier an answer comes from, its bytes are those of a computation at the same moment.

const ids: Record<string, string> = {};
/** What each ETag was seen with, and those seen with two bodies. */
const bodies = new Map<string, string>();
const conflicts: string[] = [];
const tiers = new Set<string>();
/** What each path was found to answer last. */
const latest = new Map<string, Reply>();

const world = await ownWorld();
const pair = await startPair(inject('bundle'), world.vars);
const redis = openRedis(world);
const ours = await openCompany(world);
const theirs = await openCompany(world, 'Theirs');
/** Two isolates of one location and one of another. */
const [near, twin, far] = [ours.api.at(pair.urls[0]), ours.api.at(pair.urls[1]), ours.api];
for (const topic of new Set(cached.filter(takesId).map((route) => route.topic))) {
  for (let i = 0; i < 5; i += 1) ids[topic] = await make(ours.api, topic);
}
const paths = cachedPaths(ids);
const { pagination } = (await near.get('/clients?limit=2')).json as { pagination: { nextCursor: string } };
paths.push(`/clients?limit=2&cursor=${pagination.nextCursor}`);
afterAll(async () => {
  redis.stop();
  await pair.stop();
});

function note(reply: Reply): void {
  const etag = String(reply.headers.get('etag'));
  const known = bodies.get(etag) ?? reply.text;
  if (known !== reply.text) conflicts.push(`${etag}\n${known}\n${reply.text}`);
  bodies.set(etag, known);
  tiers.add(/detail=(\w+)/.exec(reply.headers.get('cache-status') ?? '')?.[1] ?? 'none');
}

/** The keys in Redis of each representation that was found there. */
const entries = new Map<string | undefined, string[]>();

/**
 * Gives Redis a second to hold the entry of this answer, which is stored behind it. When a loaded machine lets that trip
 * fail, the others compute: no less right, and the tiers are counted over all rounds.
 */
async function stored(reply: Reply): Promise<void> {
  const representation = String(reply.headers.get('etag')).replace(/"$/, '').split('.')[3];
  const holds = async (): Promise<boolean> => {
    // To look for keys is dear, and an answer keeps its own.
    const keys = entries.get(representation) ?? (await redis.keys(`*:${representation}`));
    for (const key of keys) {
      const head = JSON.parse((await redis.get(key))?.split('\n')[0] ?? '{}') as { revision?: number };
      if ((head.revision ?? -1) < reply.revision) continue;
      entries.set(representation, keys);
      return true;
    }
    return false;
  };
  await until(`an entry for ${representation}`, holds);
}

let turns = 0;
/** Who else is asked for what nothing has spoiled, of which everybody was asked when it was new: in turn, in the long run all. */
function askedAgain(isNew: boolean): Api[] {
  if (isNew || inject('thorough')) return [twin, far];
  turns += 1;
  return [turns % 2 === 0 ? twin : far];
}
let news = 0;
/** Of what is new every other one is read once more where it came from Redis, the next one is asked for by its ETag. */
const lookedOnceMore = (): { again: boolean; conditional: boolean } => {
  news += 1;
  return { again: inject('thorough') || news % 2 === 0, conditional: inject('thorough') || news % 2 === 1 };
};

/** One path in all tiers at this moment, each beside the computation. `min` makes every answer include the last write. */
async function compare(path: string, min: number, announced: boolean): Promise<void> {
  const headers = { 'Min-Revision': String(min) };
  const first = await near.get(path, { headers });
  const isNew = first.headers.get('x-cache') === 'MISS';
  if (isNew) await stored(first);
  const others: Reply[] = [];
  for (const api of askedAgain(isNew)) others.push(await api.get(path, { headers }));
  const { again, conditional } = isNew ? lookedOnceMore() : { again: false, conditional: false };
  // What it has from Redis it keeps in memory.
  if (again) others.push(await far.get(path, { headers }));
  const fresh = await near.get(path, { headers: { ...headers, 'Cache-Control': 'no-cache' } });
  expect(fresh.headers.get('x-cache'), fresh.text).toBe('BYPASS');
  for (const reply of [first, ...others, fresh]) {
    expect(reply.status, reply.text).toBe(200);
    expect(reply.text, `${path} ${reply.headers.get('cache-status')}`).toBe(fresh.text);
    expect(reply.headers.get('link')).toBe(fresh.headers.get('link'));
    expect(reply.revision).toBeGreaterThanOrEqual(min);
    expect(reply.revision).toBeLessThanOrEqual(fresh.revision);
    note(reply);
  }
  latest.set(path, first);
  if (!conditional) return;
  const etag = first.headers.get('etag');
  const asked = { ...headers, 'If-None-Match': String(etag), 'Cache-Control': 'max-age=0' };
  const same = await near.get(path, { headers: asked });
  if (announced) expect([same.status, same.headers.get('etag')]).toEqual([304, etag]);
  expect(same.text).toBe(same.status === 304 ? '' : fresh.text);
}

/** What a write of another company may not have spoiled: answered as a moment ago. */
async function compareKept(some: readonly string[]): Promise<void> {
  for (const path of some) {
    const [kept, before] = [await near.get(path), latest.get(path)];
    expect([kept.text, kept.headers.get('etag')], path).toEqual([before?.text, before?.headers.get('etag')]);
    note(kept);
  }
}

async function compareAll(some: readonly string[], min: number, announced = true): Promise<void> {
  for (let i = 0; i < some.length; i += 4) {
    await Promise.all(some.slice(i, i + 4).map((path) => compare(path, min, announced)));
  }
}
const headOf = async (tenant: Tenant): Promise<number> => Number((await tenant.api.get('/events?limit=1')).json.head);

test('before any write, and repeated', async () => {
  await compareAll(paths, 0);
  await compareAll(shareOf(paths, 0, 3), 0);
  expect(bodies.size).toBe(paths.length);
});

// What was erased takes no other change, so that comes last.
const erases = ({ spec }: Route): number => Number(spec.path.endsWith('/erase'));
const inOrder = [...mutations].sort((a, b) => erases(a) - erases(b));
/** After which it is looked at what is answered; the others are made for those that need them, as what restores needs what archives. */
const looked = shareOfEach(inOrder, 2);
const foreign = shareOfEach(looked, 3);
test.each(inOrder.map((route) => [route.name, route] as const))('after %s, own and foreign', async (_, route) => {
  for (const tenant of foreign.includes(route) ? [ours, theirs] : [ours]) {
    // The object that is being read is the one that changes.
    const own = tenant === ours && route.fixture.states === undefined;
    const shot = await aim(route, tenant, own ? ids[route.topic] : undefined);
    // After our own write everything has just been compared.
    const kept = bodies.size;
    const written = await fire(tenant === ours ? near : theirs.api, shot);
    expect(written.status, written.text).toBe(route.spec.success.status);
    if (!looked.includes(route)) continue;
    const { own: ofTopic, others } = pathsAfter(route, paths);
    const some = [...ofTopic, ...others];
    if (tenant === ours) await compareAll(some, written.revision);
    else await compareKept(some);
    // A write of another company spoils nothing: no answer was even named anew.
    if (tenant === theirs) expect(bodies.size).toBe(kept);
  }
});

test('an ETag never stood for two bodies, and every tier has answered', () => {
  expect(conflicts).toEqual([]);
  expect([...tiers].sort()).toEqual(['edge', 'memory', 'none', 'redis']);
});

const inSql = Object.entries(fixtures).flatMap(([topic, { sql }]) => (sql === undefined ? [] : [{ topic, sql }]));
test.each(inSql.map((each, turn) => [each.topic, each.sql, turn] as const))(
  'after a write to %s in SQL, with Min-Revision',
  async (topic, sql, turn) => {
    for (const tenant of [theirs, ours]) {
      // One that is there: a hold of some minutes ago is not any more.
      if (fixtures[topic]?.create !== undefined) await make(tenant.api, topic);
      const before = await headOf(tenant);
      await world.sql(sql, [uuidOf('comp', tenant.companyId), `+${unique()}`], 'cp_owner');
      const head = await headOf(tenant);
      expect(head).toBeGreaterThan(before);
      const { own, others } = pathsAt(topic, turn, 8, paths);
      if (tenant === ours) await compareAll([...own, ...others], head, false);
    }
  },
);

test('after writes in SQL no ETag stands for two bodies', () => {
  expect(conflicts).toEqual([]);
});

test('an ETag just given answers 304 while a write in SQL is not announced', async () => {
  await world.sql(String(fixtures.clients?.sql), [uuidOf('comp', ours.companyId), '+'], 'cp_owner');
  const path = `/clients/${ids.clients}`;
  const first = await near.get(path, { headers: { 'Min-Revision': String(await headOf(ours)) } });
  const etag = String(first.headers.get('etag'));
  const same = await near.get(path, { headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' } });
  expect([same.headers.get('etag'), same.status, same.text]).toEqual([etag, 304, '']);
});

test('the Cache API carries an answer from isolate to isolate, within its location only', async () => {
  const min = await headOf(ours);
  await far.post('/clients', { firstName: 'announces' });
  let limit = 30;
  // The copy is put behind the answer, so a twin that is too quick gets it from Redis: the next one may not be.
  const path = await until('an answer from the edge', async () => {
    limit += 1;
    const at = `/clients?limit=${limit}`;
    const [filled, copy] = [await near.get(at), await twin.get(at)];
    note(copy);
    expect(copy.text).toBe(filled.text);
    return copy.headers.get('cache-status') === 'ClientsPlus; hit; detail=edge' && at;
  });
  const elsewhere = await far.get(path, { headers: { 'Min-Revision': String(min) } });
  expect(elsewhere.headers.get('cache-status')).not.toContain('edge');
  const fresh = await twin.get(path, { headers: { 'Cache-Control': 'no-cache' } });
  expect(elsewhere.text).toBe(fresh.text);
});

test('a write spoils what depends on it and nothing else', async () => {
  const [a, b] = [await make(near, 'clients'), await make(near, 'clients')];
  const untouched = [`/clients/${a}`, '/company', '/auth/me'];
  for (const path of [...untouched, '/clients', `/clients/${b}`]) await near.get(path);
  const patched = await near.patch(`/clients/${b}`, { notes: 'other' });
  const headers = { 'Min-Revision': String(patched.revision) };
  for (const path of untouched) expect((await near.get(path, { headers })).headers.get('x-cache'), path).toBe('HIT');
  for (const path of ['/clients', `/clients/${b}`]) {
    expect((await near.get(path, { headers })).headers.get('x-cache'), path).toBe('MISS');
  }
  const company = await near.patch('/company', { name: `renamed ${unique()}` });
  const later = { 'Min-Revision': String(company.revision) };
  expect((await near.get('/clients', { headers: later })).headers.get('x-cache')).toBe('HIT');
  for (const path of ['/company', '/auth/me']) {
    expect((await near.get(path, { headers: later })).headers.get('x-cache'), path).toBe('MISS');
  }
});

test('a patch that changes nothing spoils nothing', async () => {
  const id = await make(near, 'clients');
  const path = `/clients/${id}`;
  const read = await near.get(path);
  const same = await near.patch(path, { firstName: read.json.firstName, notes: null });
  expect([same.json.version, same.revision]).toEqual([read.json.version, read.revision]);
  expect((await near.get(path)).headers.get('x-cache')).toBe('HIT');
});
