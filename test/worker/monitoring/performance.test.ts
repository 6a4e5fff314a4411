import { expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await ownWorld({ EDGE_CACHE: 'off', DB_SLOW_QUERY_THRESHOLD: '0' }, 2);
const salon = await openCompany(world);
const elsewhere = salon.api.at(String(world.elsewhere[0]));

type Seen = { status: string; metrics: Record<string, number | null>; details: Record<string, Json>; absent: Json };
const PATH = '/health/performance?window=15m';

let looks = 0;
/** What all isolates counted up to now, but for the last looks: each tells what it has when it is asked, a second apart. */
async function seen(): Promise<Seen> {
  const asked = Date.now();
  let last: Seen | null = null;
  for (const api of [elsewhere, salon.api]) {
    last = await until('a look of now', async () => {
      const reply = await api.get(PATH);
      looks += 1;
      return Date.parse(String(reply.json.sampledAt)) >= asked ? (reply.json as Seen) : null;
    });
  }
  if (last === null) throw new Error('nobody was asked');
  return last;
}

const metric = ({ metrics }: Seen, name: string): number => Number(metrics[name]);

test('requests of two isolates are counted each once, with their errors and the tiers of their answers', async () => {
  const before = await seen();
  looks = 0;
  const asked = 30;
  for (let n = 0; n < asked; n += 1) await (n % 2 === 0 ? salon.api : elsewhere).get('/clients?limit=20');
  for (let n = 0; n < 4; n += 1) await salon.api.get(`/clients?limit=${30 + n}`);
  for (let n = 0; n < 3; n += 1) expectProblem(await elsewhere.get('/clients/nobody'), 'not_found');
  world.neon.setFault('refuse');
  const failed = await elsewhere.get('/events');
  world.neon.setFault(null);
  expect(failed.status).toBe(503);
  const after = await seen();
  const more = (name: string): number => metric(after, name) - metric(before, name);
  const tiers = (of: Seen, ...names: string[]): number =>
    names.reduce((sum, name) => sum + Number(of.details.tiers?.[name]), 0);
  // Whoever looks is counted too, behind the answer: the last look of before as the last of now will be.
  expect(more('totalRequests')).toBe(asked + 4 + 3 + 1 + looks);
  expect(tiers(after, 'memory', 'redis', 'miss') - tiers(before, 'memory', 'redis', 'miss')).toBe(asked + 4);
  expect(tiers(after, 'miss') - tiers(before, 'miss')).toBeGreaterThanOrEqual(4);
  expect(Number(after.details.clientErrors) - Number(before.details.clientErrors)).toBe(3);
  const hits = tiers(after, 'memory', 'redis', 'stale');
  expect(metric(after, 'cacheHitRate')).toBeCloseTo((100 * hits) / (hits + tiers(after, 'miss')), 1);
  expect(metric(after, 'errorRate')).toBeCloseTo(100 / metric(after, 'totalRequests'), 1);
  expect(metric(after, 'p95ResponseTime')).toBeLessThanOrEqual(metric(after, 'p99ResponseTime'));
  expect(metric(after, 'averageResponseTime')).toBeGreaterThan(0);
  expect(metric(after, 'requestsPerSecond')).toBeGreaterThan(0);
  expect(more('slowQueries')).toBeGreaterThanOrEqual(4);
  expect((after.details.slow as unknown as Json[]).map(({ name }) => name)).toContain('clients.list');
  expect(after.absent).toHaveProperty('memory');
  expect(after.absent).toHaveProperty('cpu');
});

const THREE = ['averageResponseTime', 'cacheHitRate', 'errorRate'];

test('anybody sees three figures; all of them a role of ADMIN or above, and a key with its scope', async () => {
  const nobody = world.api.as(null);
  const plain = await nobody.get(PATH);
  expect(Object.keys(plain.json.metrics as Json).sort()).toEqual(THREE);
  expect(Object.keys(plain.json).sort()).toEqual(['from', 'metrics', 'sampledAt', 'status', 'window']);
  const staff = await addKey(salon.api, ['clients:read']);
  const admin = await addKey(salon.api, ['admin']);
  expect(Object.keys((await staff.api.get(PATH)).json.metrics as Json).sort()).toEqual(THREE);
  expect(Object.keys((await admin.api.get(PATH)).json.metrics as Json)).toHaveLength(11);
  expectProblem(await nobody.as('nobody').get(PATH), 'unauthenticated');
  for (const window of ['0m', '25h', '1d', '5', 'm', '1441m', '-1m'])
    expectProblem(await nobody.get(`/health/performance?window=${window}`), 'invalid_parameter');
});

test('while nobody can be asked who a caller is, all see what anybody sees', async () => {
  const other = await openCompany(world);
  const key = await addKey(other.api, ['admin']);
  world.neon.setFault('refuse');
  world.upstash.setFault('refuse');
  const replies = [];
  for (const api of [other.api, key.api]) replies.push(await api.at(String(world.elsewhere[0])).get(PATH));
  world.neon.setFault(null);
  world.upstash.setFault(null);
  for (const { status, json } of replies)
    expect([status, Object.keys(json.metrics as Json).sort()]).toEqual([200, THREE]);
});

test('what probes ask is at the root as well', async () => {
  const ask = (path: string, method = 'GET'): Promise<Response> => fetch(`${world.worker.url}${path}`, { method });
  for (const path of ['/health/live', '/health/ready', '/health/performance'])
    expect([path, (await ask(path)).status]).toEqual([path, 200]);
  const wrong = await ask('/health/ready', 'POST');
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
});
