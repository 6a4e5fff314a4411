import pg from 'pg';
import { afterAll, expect, inject, test } from 'vitest';
import type { Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { settled, until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';

// One company never slows another: in counts of places, backends and turns. fairness.long.test.ts has the times.

/** Three isolates with the same rooms. */
const world = await ownWorld();
const shared = await startWorker({ bundle: inject('bundle'), vars: world.vars, isolates: 3 });
/** A unit every ten seconds, and hardly more than one at once. */
const slow = await startWorker({
  bundle: inject('bundle'),
  vars: { ...world.vars, RATE_LIMIT_PER_MINUTE: '6', DB_ACQUIRE_TIMEOUT: '1000' },
});
const isolates = shared.urls;
const stormy = await openCompany(world);
const calm = await openCompany(world);
afterAll(() => Promise.all([shared.stop(), slow.stop()]));

const fresh = { headers: { 'Cache-Control': 'no-cache' } };

/** Runs `work` while a console holds the company's head. */
async function whileHeld<T>(tenant: Tenant, work: () => Promise<T>): Promise<T> {
  const console = new pg.Client({ connectionString: world.adminUrl });
  await console.connect();
  try {
    await console.query('begin');
    await console.query('select 1 from company_heads where company_id = $1 for update', [
      uuidOf('comp', tenant.companyId),
    ]);
    return await work();
  } finally {
    await console.query('rollback');
    await console.end();
  }
}

async function waitingBackends(): Promise<number> {
  const [row] = await world.sql<{ n: number }>(
    `select count(*)::int n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.n ?? 0;
}

/** How often a write of the company has reached Postgres. */
function countWrites(tenant: Tenant): () => number {
  const id = uuidOf('comp', tenant.companyId);
  let writes = 0;
  world.neon.setHooks({
    onRequest({ statements }) {
      if (statements[0]?.query.includes('app.begin_write(') && statements[0].params[0] === id) writes += 1;
    },
  });
  return () => writes;
}

const create = (tenant: Tenant, url: string): Promise<Reply> =>
  tenant.api.at(url).post('/clients', { firstName: `n${unique()}` });

/** The outcomes of answers, counted. */
function tally(replies: readonly Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test('writers of one company hold four backends in all while its lock is held; others are served, and all are answered', async () => {
  const writes = countWrites(stormy);
  const storm = await whileHeld(stormy, async () => {
    const [one = '', two = '', three = ''] = isolates;
    const first = [one, one, two, two].map((url) => create(stormy, url));
    await until('four have begun', () => writes() === 4);
    const others = [one, two, three, three, three, three].map((url) => create(stormy, url));
    await settled(() => String(writes()));
    expect([writes(), await waitingBackends()]).toEqual([4, 4]);
    for (const url of isolates) {
      const bystander = [create(calm, url), calm.api.at(url).get('/clients', fresh)];
      expect(tally(await Promise.all(bystander))).toEqual({ 200: 1, 201: 1 });
    }
    expect(writes()).toBe(4);
    return [...first, ...others];
  });
  expect(tally(await Promise.all(storm))).toEqual({ 201: 10 });
  world.neon.setHooks({ onRequest: null });
});

test('a write whose turn does not come in time changed nothing and is told when to come back', async () => {
  const impatient = await startWorker({
    bundle: inject('bundle'),
    vars: { ...world.vars, DB_ACQUIRE_TIMEOUT: '1500' },
    isolates: 3,
  });
  // What an isolate needs for its first request is no waiting for a turn.
  for (const url of impatient.urls) expect((await create(calm, url)).status).toBe(201);
  const writes = countWrites(stormy);
  const [one = '', two = '', three = ''] = impatient.urls;
  const { first, late } = await whileHeld(stormy, async () => {
    const first = [one, one, two, two].map((url) => create(stormy, url));
    await until('all turns are taken', () => writes() === 4);
    const late = await Promise.all([create(stormy, one), create(stormy, three), create(stormy, three)]);
    return { first, late };
  });
  world.neon.setHooks({ onRequest: null });
  for (const reply of late) {
    expectProblem(reply, 'busy');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect([tally(await Promise.all(first)), writes()]).toEqual([{ 201: 4 }, 4]);
  expect((await create(stormy, impatient.url)).status).toBe(201);
  await impatient.stop();
});

test('beyond a burst a company writes at the pace of its limit, bulks at five units each, and nothing is lost', async () => {
  // A unit every 200 ms, and 60 at once.
  const vars = { ...world.vars, RATE_LIMIT_PER_MINUTE: '300', DB_ACQUIRE_TIMEOUT: '30000' };
  const paced = await startWorker({ bundle: inject('bundle'), vars });
  const busy = await openCompany(world);
  const bulk = { mode: 'atomic', items: [{ firstName: 'Anna' }] };
  const began = performance.now();
  const writes = Array.from({ length: 60 }, () => create(busy, paced.url));
  const bulks = Array.from({ length: 4 }, () => busy.api.at(paced.url).post('/clients/bulk', bulk));
  expect(tally(await Promise.all([...writes, ...bulks]))).toEqual({ 200: 4, 201: 60 });
  // 80 units, of which 60 at once; the last one's own five are not waited for.
  expect(performance.now() - began).toBeGreaterThan((80 - 60 - 5) * 200);
  await paced.stop();
});

test('a write whose turn cannot come in time is refused at once, and told how long the others will take', async () => {
  const busy = await openCompany(world);
  expect((await create(busy, slow.url)).status).toBe(201);
  const refused = await create(busy, slow.url);
  expectProblem(refused, 'busy');
  const seconds = Number(refused.headers.get('retry-after'));
  // Of ten less what was at once, and what has passed.
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(9);
});

test('large bodies are read at the pace of the limit, by their size; whoever sends little is not behind them', async () => {
  const api = (await openCompany(world)).api.at(slow.url);
  const wrong = { notes: 'x'.repeat(200_000) };
  expect((await api.post('/clients', wrong)).status).toBe(422);
  const behind = await api.post('/clients', wrong);
  expectProblem(behind, 'busy');
  // Seven pieces of 32 KiB, ten seconds each.
  expect(Number(behind.headers.get('retry-after'))).toBeGreaterThan(50);
  expect((await api.post('/clients', {})).status).toBe(422);
  // Nor does it help not to say how much it is.
  const untold = await fetch(`${slow.url}/api/v1/clients`, {
    ...{ method: 'POST', duplex: 'half', body: new Blob([JSON.stringify(wrong)]).stream() },
    headers: { Authorization: `Bearer ${api.token}`, 'Content-Type': 'application/json' },
  });
  expect([untold.status, await untold.json()]).toMatchObject([503, { code: 'busy' }]);
});

test('writes that Redis does not announce keep no turn', async () => {
  world.upstash.setFault('refuse');
  const before = shared.logs.length;
  const replies: Reply[] = [];
  for (let i = 0; i < 12; i += 1) replies.push(await create(calm, isolates[0] ?? ''));
  world.upstash.setFault(null);
  expect(tally(replies)).toEqual({ 201: 12 });
  expect(shared.logs.slice(before).filter((line) => line.includes('"turnMs"'))).toEqual([]);
});

/** A room that takes every call and answers none. */
const HANGING = `import { DurableObject } from 'cloudflare:workers';
const never = () => new Promise((resolve) => setTimeout(resolve, 600_000));
export class CompanyRoom extends DurableObject {
  expect() { return never(); }
  publish() { return never(); }
  settle() { return never(); }
}
export default { fetch: () => new Response(null, { status: 404 }) };`;

test('a room that hangs stops no write, and only the first ones wait for it', async () => {
  const worker: RunningWorker = await startWorker({ bundle: inject('bundle'), vars: world.vars, rooms: HANGING });
  try {
    const notes = (kind: string): number => worker.logs.filter((line) => line.includes(`"roomError":"${kind}"`)).length;
    const first = await Promise.all([create(calm, worker.url), create(calm, worker.url)]);
    const later: Reply[] = [];
    for (let i = 0; i < 5; i += 1) later.push(await create(calm, worker.url));
    expect(tally([...first, ...later])).toEqual({ 201: 7 });
    expect([notes('expect'), notes('open')]).toEqual([2, 5]);
  } finally {
    await worker.stop();
  }
});

test('the room of a company that was deleted stops looking for its last write', async () => {
  const gone = await openCompany(world);
  const id = uuidOf('comp', gone.companyId);
  const looks: number[] = [];
  world.neon.setHooks({
    afterCommit: ({ readOnly }) => (readOnly ? undefined : Promise.reject(new Error('the line is cut'))),
    onRequest({ readOnly, statements }) {
      if (readOnly && statements[0]?.params[0] === id) looks.push(Date.now());
    },
  });
  expect((await create(gone, isolates[0] ?? '')).status).toBe(503);
  world.neon.setHooks({ afterCommit: null });
  await world.sql(`begin; set local session_replication_role = replica;
    delete from clients where company_id = '${id}'; delete from users where company_id = '${id}';
    delete from companies where id = '${id}'; delete from company_heads where company_id = '${id}'; commit`);
  await until('the room looked for the write', () => looks.length > 0);
  // It used to look every second for ever.
  await until('it looks no more', () => Date.now() - (looks.at(-1) ?? 0) > 2500);
  expect(looks.length).toBeLessThanOrEqual(2);
  world.neon.setHooks({ onRequest: null });
});
