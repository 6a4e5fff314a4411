import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, expect, inject, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import { Api, type Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { answers, Receiver, verified } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';
import { startWorker } from '../../support/worker.ts';
import { openStack } from '../../support/world.ts';

const text = await readFile(join(import.meta.dirname, '../../support/monitor-clock.ts'), 'utf8');
const { code: front } = await transform(text.replace('../../src/index.ts', './index.js'), {
  loader: 'ts',
  target: 'es2022',
});
const stack = await openStack();
const worker = await startWorker({ bundle: inject('bundle'), vars: stack.vars, front });
const receiver = await new Receiver().start();
afterAll(async () => {
  await worker.stop();
  await receiver.stop();
  await stack.close();
});
const world = { ...stack, api: new Api(worker.url) };
const salon = await openCompany(world);

/** A minute with so many requests, all told, passes. */
async function minute(requests: number): Promise<void> {
  for (let n = 0; n < requests; n += 1) await salon.api.get('/health/live');
  const asked = Date.now();
  await until('what was counted is told', async () => {
    const { json } = await salon.api.get(`/health/performance?window=${1 + (asked % 59)}m`);
    return json.status !== 'unknown';
  });
  const answer = await fetch(`${worker.url}/a-minute-passes`, { method: 'POST', body: '1' });
  expect(answer.status).toBe(204);
}

async function ruleAt(path: string, more: Json = {}): Promise<{ id: string; secret: string }> {
  const reply = await salon.api.post('/alerts', {
    ...{ name: 'Busy', metric: 'totalRequests', comparison: 'ABOVE', threshold: 25, hysteresis: 5, forMinutes: 2 },
    ...{ url: receiver.url + path, ...more },
  });
  expect(reply.status, reply.text).toBe(201);
  return reply.json as { id: string; secret: string };
}

const stateOf = async (id: string): Promise<unknown> => (await salon.api.get(`/alerts/${id}`)).json.state;

test('a rule is PENDING, fires once, and clears once; both messages are signed', async () => {
  const { id, secret } = await ruleAt('/busy');
  const states: unknown[] = [];
  // A real minute that ends meanwhile parts what was to be counted in one.
  for (let turn = 0; turn < 6 && states.at(-1) !== 'FIRING'; turn += 1) {
    await minute(40);
    states.push(await stateOf(id));
  }
  expect(states.slice(-2)).toEqual(['PENDING', 'FIRING']);
  await minute(40);
  for (let turn = 0; turn < 6 && (await stateOf(id)) !== 'OK'; turn += 1) await minute(1);
  await minute(1);
  const got = receiver.of('/busy');
  expect(got.map((each) => verified(secret, each).type)).toEqual(['alert.firing', 'alert.cleared']);
  const [fired] = got.map(({ body }) => JSON.parse(body) as { companyId: string; data: Json });
  expect(fired).toMatchObject({ companyId: salon.companyId, data: { id, metric: 'totalRequests', threshold: 25 } });
  expect(Number(fired?.data.value)).toBeGreaterThan(25);
  const types = ((await salon.api.get('/events?limit=500')).json.data as Json[]).map(({ type, actor }) => [
    type,
    (actor as Json).type,
  ]);
  expect(types).toContainEqual(['alert.updated', 'SYSTEM']);
});

test('what is not taken is tried again, under the same name, five times at most; Postgres is not needed', async () => {
  const { id, secret } = await ruleAt('/failing', { threshold: 0, forMinutes: 1 });
  receiver.answer = answers.failing;
  await minute(2);
  stack.neon.setFault('refuse');
  // As above: a real minute that ends meanwhile makes it a turn later.
  for (let turn = 0; turn < 8 && receiver.of('/failing').length < 5; turn += 1) await minute(2);
  await minute(2);
  stack.neon.setFault(null);
  receiver.answer = answers.ok;
  const got = receiver.of('/failing');
  expect(got).toHaveLength(5);
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  for (const each of got) expect(verified(secret, each).type).toBe('alert.firing');
  await until('its row says so in the end', async () => {
    await minute(2);
    return (await stateOf(id)) === 'FIRING';
  });
  expect((await salon.api.delete(`/alerts/${id}`)).json).toMatchObject({ isActive: false, state: 'OK' });
});

test('rules are administrators’ own company’s; secrets are shown once, addresses within our walls refused', async () => {
  const { id } = await ruleAt('/own', { threshold: 1e9 });
  const other = await openCompany(world);
  await other.api.post('/alerts', {
    name: 'y',
    metric: 'errorRate',
    comparison: 'ABOVE',
    threshold: 1,
    url: 'https://a.example.com/',
  });
  const archived = String(((await other.api.get('/alerts')).json.data as Json[])[0]?.id);
  expect((await other.api.delete(`/alerts/${archived}`)).json.isActive).toBe(false);
  expectProblem(await other.api.get(`/alerts/${id}`), 'not_found');
  expect((await other.api.get('/alerts')).json.data).toEqual([]);
  const read = await salon.api.get(`/alerts/${id}`);
  expect(read.text).not.toContain('whsec_');
  const key = await addKey(salon.api, ['webhooks:write']);
  expectProblem(await key.api.get('/alerts'), 'forbidden');
  expectProblem(await salon.api.patch(`/alerts/${id}`, { url: 'https://169.254.169.254/' }), 'invalid_body');
  for (let n = 0; n < 30; n += 1) {
    const reply = await other.api.post('/alerts', {
      name: 'x',
      metric: 'errorRate',
      comparison: 'ABOVE',
      threshold: 1,
      url: 'https://a.example.com/',
    });
    if (reply.status !== 201) {
      expectProblem(reply, 'conflict');
      expect(n).toBe(20);
      break;
    }
  }
  expectProblem(await other.api.post(`/alerts/${archived}/restore`), 'conflict');
  await other.api.delete(`/alerts/${((await other.api.get('/alerts')).json.data as Json[])[0]?.id}`);
  expect((await other.api.post(`/alerts/${archived}/restore`)).json).toMatchObject({ isActive: true, state: 'OK' });
});
