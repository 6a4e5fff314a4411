import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { randomOf } from '../../../local/random.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { SEED } from '../../support/draws.ts';
import { uuidOf } from '../../support/people.ts';
import { answers, type Received, Receiver, verified } from '../../support/receiver.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';

// Ten thousand events to a receiver that flaps while the Worker is killed again and again; and days of failing, a day being 17 s.

const EVENTS = 10_000;
const seed = Number(process.env.SEED ?? SEED);

const world = await ownWorld();
const dir = await mkdtemp(join(tmpdir(), 'clientsplus-hooks-'));
const receiver = await new Receiver().start();
let worker: RunningWorker;
const start = async (): Promise<void> => {
  const vars = { ...world.vars, WEBHOOK_FIRST_RETRY_MS: '1', WEBHOOK_TIMEOUT_MS: '400' };
  worker = await startWorker({ bundle: inject('bundle'), vars, persist: dir });
};
await start();
afterAll(async () => {
  await worker.stop();
  await receiver.stop();
  await rm(dir, { recursive: true, force: true });
});

async function hook(types: string[]) {
  const salon = await openCompany(world);
  const path = `/${salon.companyId}`;
  const api = salon.api.at(worker.url);
  const { json } = await api.post('/webhooks', { url: receiver.url + path, types });
  return { ...salon, path, id: String(json.id), secret: String(json.secret) };
}

test('10,000 events to a flapping receiver, the Worker killed on the way: each in order, none missing', async () => {
  console.log(`seed ${seed}`);
  const draw = randomOf(seed);
  const { path, secret, companyId, api } = await hook(['client.created']);
  const taken: Received[] = [];
  receiver.answer = (response, n, got) => {
    const at = draw();
    if (at < 0.1) answers.failing(response, n, got);
    else if (at < 0.105) answers.hanging();
    else if (at < 0.13) response.destroy();
    else if (at < 0.15) answers.status(302, { Location: '/elsewhere' })(response, n, got);
    else {
      taken.push(got);
      answers.ok(response, n, got);
    }
  };
  const began = Date.now();
  await world.sql(
    `insert into clients (company_id, id, first_name) select $1, uuidv7(), 'Client ' || n from generate_series(1, ${EVENTS}) n`,
    [uuidOf('comp', companyId)],
    'cp_owner',
  );
  // Written in SQL, so nobody has heard of it: the next write is heard of.
  await api.at(worker.url).post('/clients', { firstName: 'last' });
  for (const at of [0.2, 0.5, 0.8]) {
    await until(`${at} are taken`, () => taken.length >= at * EVENTS, 600_000);
    await worker.stop();
    await start();
  }
  const distinct = () => new Set(taken.map(({ headers }) => headers['webhook-id'])).size;
  await until('all are taken', () => taken.length > EVENTS && distinct() === EVENTS + 1, 600_000);
  const seconds = (Date.now() - began) / 1000;
  const revisions = taken.map((got) => verified(secret, got).revision);
  // A repetition follows the event itself: what was taken before a kill, and not written down.
  const firsts = revisions.filter((revision, n) => !revisions.slice(Math.max(0, n - 5), n).includes(revision));
  expect(firsts.length).toBe(EVENTS + 1);
  expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
  expect((firsts.at(-1) ?? 0) - (firsts[0] ?? 0)).toBe(EVENTS);
  // One per kill at most, and whatever was answered too late to be heard.
  expect(revisions.length - firsts.length).toBeLessThan(EVENTS / 20);
  expect(receiver.of('/elsewhere')).toEqual([]);
  const sent = receiver.of(path).length;
  console.log(
    `${EVENTS + 1} events, ${sent} attempts, ${revisions.length - firsts.length} repeated, ${seconds.toFixed(1)} s`,
  );
});

test('an event that is refused for a day is given up and told; the next ones are sent', async () => {
  const { path, api, id } = await hook(['client.created']);
  receiver.answer = (response, n, got) => {
    const bad = got.path === path && (JSON.parse(got.body) as { data: Json }).data.firstName === 'poison';
    (bad ? answers.failing : answers.ok)(response, n, got);
  };
  for (const firstName of ['poison', 'good']) await api.at(worker.url).post('/clients', { firstName });
  const own = api.at(worker.url);
  const dead = await until(
    'it is given up',
    async () => ((await own.get(`/webhooks/${id}/deliveries?status=DEAD`)).json.data as Json[])[0],
    180_000,
  );
  expect(dead).toMatchObject({ attempt: 8, responseStatus: 500, nextAttemptAt: null });
  await until('the next is sent', () => receiver.of(path).length >= 9);
  const attempts = receiver.of(path).map(({ at }) => at);
  const day = (attempts[7] ?? 0) - (attempts[0] ?? 0);
  expect(day).toBeGreaterThanOrEqual(17_280);
  expect((await own.get(`/webhooks/${id}`)).json.isActive).toBe(true);
});

test('an endpoint that takes nothing for three days is archived, and says why', async () => {
  const { path, api, id } = await hook(['client.created']);
  receiver.answer = (response, n, got) => (got.path === path ? answers.failing : answers.ok)(response, n, got);
  for (const firstName of ['one', 'two', 'three', 'four']) await api.at(worker.url).post('/clients', { firstName });
  const own = api.at(worker.url);
  const archived = await until(
    'it is archived',
    async () => {
      const { json } = await own.get(`/webhooks/${id}`);
      return json.isActive === false && json;
    },
    300_000,
  );
  expect(archived).toMatchObject({ disabledReason: 'FAILING' });
  const { data } = (await own.get(`/webhooks/${id}/deliveries?status=DEAD`)).json as { data: Json[] };
  expect(data.length).toBe(2);
  // Two were given up; the rest is sent once it is restored.
  receiver.answer = answers.ok;
  const before = receiver.of(path).length;
  await own.post(`/webhooks/${id}/restore`);
  await until('the rest is sent', () => receiver.of(path).length >= before + 2);
  const rest = receiver.of(path).slice(before);
  expect(rest.map(({ body }) => (JSON.parse(body) as { data: Json }).data.firstName)).toEqual(['three', 'four']);
});
