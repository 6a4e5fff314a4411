import { afterEach, expect, inject, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { fixtures, unique } from '../../support/fixtures.ts';
import { cachedPaths, pathsAfter, shareOfEach } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { aim, fire, make, makeEach, mutations, ofChildren, ofMany } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

/** CACHE_MAX_STALENESS_MS, and how much later than that a poll of a loaded machine may notice. */
const STALENESS = 2000;
const SLACK = 7000;

/** The same caller in two isolates that share Redis and Postgres only. */
const world = await ownWorld();
const elsewhere = await world.another();
const salon = await openCompany(world);
const here = salon.api;
const there = salon.api.at(elsewhere.url);
afterEach(() => {
  world.neon.setHooks({ onRequest: null, afterCommit: null });
  world.upstash.setFault(null);
});

const min = (reply: Reply): { headers: Record<string, string> } => ({
  headers: { 'Min-Revision': String(reply.revision) },
});
type Written = { revision: number; entityId: string; actor: unknown; data: unknown };

/** Warm in both isolates, so that there is something to be stale. */
async function warm(paths: readonly string[], isolates = [here, there]): Promise<void> {
  for (const api of isolates) for (const path of paths) await api.get(path);
}

const objects = await makeEach(here);

/** Polls `there` until it shows `text`; answers the ms since `since`. */
async function seen(path: string, text: string, since: number, deadline: number): Promise<number> {
  await until(`${path} shows ${text}`, async () => (await there.get(path)).text.includes(text), deadline);
  return Date.now() - since;
}

// What a write spoils is looked at after every one by cached-equals-uncached; here after a share, and all in the long run.
test.each(shareOfEach(mutations, 4).map((route) => [route.name, route] as const))(
  '%s is seen at once by whoever sends its Revision, on every route',
  async (_, route) => {
    const shot = await aim(route, salon);
    // What is gone is read no more.
    const isGone = route.spec.success.status === 204;
    const ids = { ...objects, ...(shot.id !== null && !isGone && { [route.topic]: shot.id }) };
    // What others answer is looked at by cached-equals-uncached too.
    const { own: ofTopic, others } = pathsAfter(route, cachedPaths(ids));
    const paths = inject('thorough') ? [...ofTopic, ...others] : ofTopic;
    // Where it is read: in memory and in Redis. The writer's own has nothing to do with it.
    await warm(paths, [there]);
    const written = await fire(here, shot);
    expect(written.status, written.text).toBe(route.spec.success.status);
    for (const path of [...paths, '/events']) {
      const read = await there.get(path, min(written));
      expect(read.revision, path).toBeGreaterThanOrEqual(written.revision);
      const fresh = await there.get(path, { headers: { ...min(written).headers, 'Cache-Control': 'no-cache' } });
      expect(read.text, path).toBe(fresh.text);
    }
    if (ofMany(route) || ofChildren(route) || isGone || written.json.id === undefined) return;
    const own = shot.path.startsWith('/company') ? '/company' : `/${route.topic}/${written.json.id}`;
    const changed = written.headers.get('location')?.replace('/api/v1', '') ?? own;
    expect(written.json).toMatchObject((await there.get(changed, min(written))).json);
  },
);

test('everyone sees a write within CACHE_MAX_STALENESS_MS, the writer at once', async () => {
  const id = await make(here, 'clients');
  const paths = [`/clients/${id}`, '/clients'];
  await warm(paths);
  const mark = `mark ${unique()}`;
  const since = Date.now();
  await here.patch(`/clients/${id}`, { notes: mark });
  for (const path of paths) expect((await here.get(path)).text).toContain(mark);
  for (const path of paths) expect(await seen(path, mark, since, STALENESS + SLACK)).toBeLessThan(STALENESS + SLACK);
});

test('a write whose announcement fails is seen everywhere within 10 s, with its Revision at once', async () => {
  const id = await make(here, 'clients');
  const path = `/clients/${id}`;
  // Another representation, which the read with Min-Revision does not refresh.
  const list = `/clients?fields=notes&limit=${(unique() % 50) + 40}`;
  await warm([path, list]);
  const mark = `mark ${unique()}`;
  world.neon.setHooks({ afterCommit: ({ readOnly }) => readOnly || world.upstash.setFault('refuse') });
  const since = Date.now();
  const written = await here.patch(path, { notes: mark });
  world.upstash.setFault(null);
  world.neon.setHooks({ afterCommit: null });
  expect(written.status).toBe(200);
  // Who has not seen it yet may be shown the old list until the room finds it, three seconds later …
  const early = await there.get(list);
  if (Date.now() - since < 1500) expect(early.text).not.toContain(mark);
  // … who has, never again.
  expect((await there.get(path, min(written))).text).toContain(mark);
  expect((await there.get(list)).text).toContain(mark);
  expect(await seen(list, mark, since, 11_000)).toBeLessThan(10_000);
});

test('a write whose answer is lost is announced all the same, and its key replays it', async () => {
  await warm(['/clients']);
  const headers = { 'Idempotency-Key': `lost-${unique()}` };
  const body = { firstName: `Lost ${unique()}` };
  world.neon.setHooks({ afterCommit: ({ readOnly }) => (readOnly ? undefined : Promise.reject(new Error('lost'))) });
  const since = Date.now();
  const lost = await here.post('/clients', body, { headers });
  world.neon.setHooks({ afterCommit: null });
  expect(lost.status).toBe(503);
  const again = await here.post('/clients', body, { headers });
  expect([again.status, again.headers.get('idempotency-replayed')], again.text).toEqual([201, 'true']);
  expect(await seen('/clients', body.firstName, since, 11_000)).toBeLessThan(10_000);
});

test('a write in SQL is in the log at once, in a GET with Min-Revision at once, after a sweep everywhere', async () => {
  // A company of its own: where a write is still looked for, that look may announce this one too.
  const quiet = await openCompany(world);
  const [first, second] = [quiet.api, quiet.api.at(elsewhere.url)];
  const id = await make(first, 'clients');
  const path = `/clients/${id}`;
  const list = '/clients?fields=notes';
  await warm([path, list], [first, second]);
  const before = await second.get(path);
  const mark = `+${unique()}`;
  await world.sql(String(fixtures.clients?.sql), [uuidOf('comp', quiet.companyId), mark], 'cp_owner');
  const { data } = (await second.get(`/events?after=${before.revision}`)).json as { data: Written[] };
  const written = data.find((event) => event.entityId === id);
  expect(written?.actor).toEqual({ type: 'SQL' });
  expect(JSON.stringify(written?.data)).toContain(mark);
  const revision = String(written?.revision);
  const read = await second.get(path, { headers: { 'Min-Revision': revision } });
  expect(read.json).toEqual(written?.data);
  expect((await first.get(list)).text).not.toContain(mark);
  const since = Date.now();
  await world.worker.sweep();
  for (const api of [second, first]) {
    await until('everybody sees it', async () => (await api.get(list)).text.includes(mark), STALENESS + SLACK);
  }
  expect(Date.now() - since).toBeLessThan(2 * (STALENESS + SLACK));
});

test('a room that cannot read the log when it is asked to announce it asks again by itself', async () => {
  // Of a company of its own, whose room expects no write: one that is expected is looked for anyway.
  const quiet = await openCompany(world);
  await make(quiet.api, 'clients');
  const read = () => quiet.api.get('/clients');
  await until('a hit', async () => (await read()).headers.get('x-cache') === 'HIT');
  const mark = `+${unique()}`;
  await world.sql(String(fixtures.clients?.sql), [uuidOf('comp', quiet.companyId), mark], 'cp_owner');
  let refused = 0;
  world.neon.setHooks({
    onRequest({ statements }) {
      if (!statements.some(({ query }) => query.includes('app.changes_after('))) return;
      refused += 1;
      throw new Error('cannot be read');
    },
  });
  await world.worker.sweep();
  expect(refused).toBeGreaterThan(0);
  world.neon.setHooks({ onRequest: null });
  await until('the room has announced it', async () => (await read()).text.includes(mark));
});

test('a lost announcement is healed by the next one: the gap raises the floor', async () => {
  const [lost, other] = [await make(here, 'clients'), await make(here, 'clients')];
  const path = `/clients/${lost}`;
  await warm([path]);
  const mark = `mark ${unique()}`;
  world.neon.setHooks({ afterCommit: ({ readOnly }) => readOnly || world.upstash.setFault('refuse') });
  await here.patch(path, { notes: mark });
  world.neon.setHooks({ afterCommit: null });
  world.upstash.setFault(null);
  const next = await there.patch(`/clients/${other}`, { notes: 'next' });
  // The announcement of `next` says nothing of the first client; that there was something between does.
  expect((await there.get(path, min(next))).text).toContain(mark);
  expect((await here.get(path, min(next))).text).toContain(mark);
});

// Last, because the room that looks for it would announce what another test keeps from being announced.
test('a write whose answer is lost does not say that nothing was changed', async () => {
  world.neon.setHooks({ afterCommit: ({ readOnly }) => (readOnly ? undefined : Promise.reject(new Error('lost'))) });
  const lost = await here.post('/clients', { firstName: 'Lost' });
  expect(lost.status).toBe(503);
  expect(String(lost.json.detail)).not.toContain('Nothing was changed');
});
