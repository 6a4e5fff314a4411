import { beforeAll, expect, test } from 'vitest';
import type { Api, Json } from '../../support/api.ts';
import { newCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// GET /events with `wait`: the poll of whoever opens no socket.

const world = await sharedWorld();
let api: Api;
let head = 0;
beforeAll(async () => {
  ({ api } = await newCompany(world));
  head = (await api.get('/events')).json.head as number;
});

const events = (reply: { json: Json }) => reply.json.data as { revision: number; type: string }[];

test('what happens meanwhile is answered as soon as it has', async () => {
  const asked = api.get(`/events?after=${head}&wait=20`);
  const made = await api.post('/clients', { firstName: 'Awaited' });
  const reply = await asked;
  expect(events(reply).map(({ revision, type }) => [revision, type])).toEqual([[made.revision, 'client.created']]);
  expect(reply.json.head).toBe(made.revision);
  head = made.revision;
});

test('what is there already is answered at once, and an empty answer only after the wait', async () => {
  expect(events(await api.get(`/events?after=${head - 1}&wait=25`))).toHaveLength(1);
  const began = performance.now();
  expect(events(await api.get(`/events?after=${head}&wait=1`))).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(events(await api.get(`/events?after=${head}&wait=0`))).toEqual([]);
});

test('who sees little goes on waiting while what others see happens', async () => {
  const scopes = ['events:read', 'catalog:read'];
  const key = await api.post('/api-keys', { name: 'polls', scopes });
  const asked = api.as(String(key.json.secret)).get(`/events?after=${key.revision}&wait=20`);
  await api.post('/clients', { firstName: 'Unseen' });
  const branch = await api.post('/branches', { name: 'Seen', timeZone: 'Europe/Vienna' });
  expect(events(await asked).map(({ revision }) => revision)).toEqual([branch.revision]);
});

test.each([
  ['sees little', ['events:read', 'catalog:read'], 0],
  ['is ahead of what there is', ['events:read', 'clients:read', 'catalog:read'], 5],
])('who %s looks at the log for what they are told alone', async (_, scopes, ahead) => {
  const { api, companyId } = await newCompany(world);
  const key = await api.post('/api-keys', { name: 'polls', scopes });
  let looks = 0;
  world.neon.setHooks({
    onRequest({ statements: [begin, ...statements] }) {
      const isLook = statements.some(({ query }) => query.includes('changes_after'));
      if (begin?.params[0] === uuidOf('comp', companyId) && isLook) looks += 1;
      return undefined;
    },
  });
  const asked = api.as(String(key.json.secret)).get(`/events?after=${key.revision + ahead}&wait=20`);
  await until('the first look', () => looks === 1);
  for (let n = 0; n < 5; n += 1) await api.post('/clients', { firstName: `Untold ${n}` });
  const branch = await api.post('/branches', { name: 'Told', timeZone: 'Europe/Vienna' });
  expect(events(await asked).map(({ revision }) => revision)).toEqual([branch.revision]);
  world.neon.setHooks({ onRequest: null });
  expect(looks).toBe(2);
});

test.each(['26', '-1', 'x', '1.5'])('wait=%s is refused, and audit takes none', async (wait) => {
  expect((await api.get(`/events?wait=${wait}`)).status).toBe(400);
  expect((await api.get('/audit?wait=1')).status).toBe(400);
});
