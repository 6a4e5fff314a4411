import { afterAll, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { answers, Receiver } from '../../support/receiver.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await sharedWorld();
const receiver = await new Receiver().start();
afterAll(() => receiver.stop());
const salon = await openCompany(world);

test('a patch pauses an endpoint and resumes it: what happened meanwhile comes then', async () => {
  const path = '/paused';
  const made = await salon.api.post('/webhooks', { url: receiver.url + path, types: ['client.created'] });
  const id = String(made.json.id);
  const client = (firstName: string) => salon.api.post('/clients', { firstName });
  const names = () => receiver.of(path).map(({ body }) => JSON.parse(body).data.firstName);
  const state = (isActive: boolean, more: Json = {}) => salon.api.patch(`/webhooks/${id}`, { isActive, ...more });
  const paused = await state(false);
  expect(paused.json).toMatchObject({ isActive: false, disabledReason: null });
  await client('meanwhile');
  const again = await state(false);
  expect(again.json.version).toBe(paused.json.version);
  // What happened meanwhile comes at once.
  receiver.answering(path, answers.ok, answers.gone);
  const resumed = await state(true, { description: 'on' });
  expect(resumed.json).toMatchObject({ isActive: true, description: 'on', version: Number(paused.json.version) + 1 });
  const { data } = (await salon.api.get(`/events?after=${again.revision}`)).json as { data: Json[] };
  const own = data.filter(({ entityId }) => entityId === id);
  expect(own.map(({ type }) => type)).toEqual(['webhook.restored']);
  await client('after');
  await receiver.events(path, 2);
  expect(names().slice(0, 2)).toEqual(['meanwhile', 'after']);
  await until('it is archived', async () => (await salon.api.get(`/webhooks/${id}`)).json.isActive === false);
  expect((await state(true)).json).toMatchObject({ isActive: true, disabledReason: null, disabledAt: null });
  await receiver.events(path, 3);
  expect(names()[2]).toBe('after');
});
