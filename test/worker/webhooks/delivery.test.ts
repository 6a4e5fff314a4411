import { afterAll, expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { answers, Receiver, verified } from '../../support/receiver.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';
import type { Api, Json, Tenant } from '../../support/api.ts';

// What receivers are sent, over real HTTP: a day of retries is 17 s here, three days 52 s.

const world = await ownWorld({ WEBHOOK_FIRST_RETRY_MS: '1', WEBHOOK_TIMEOUT_MS: '300' });
const receiver = await new Receiver().start();
afterAll(() => receiver.stop());
const salon = await openCompany(world);

let paths = 0;
type Hook = { id: string; path: string; secret: string };

async function hook(tenant: Tenant, more: Json = {}): Promise<Hook> {
  paths += 1;
  const path = `/hook-${paths}`;
  const reply = await tenant.api.post('/webhooks', { url: receiver.url + path, types: ['client.created'], ...more });
  expect(reply.status, reply.text).toBe(201);
  return { id: String(reply.json.id), path, secret: String(reply.json.secret) };
}
const client = async (api: Api, name: string) => (await api.post('/clients', { firstName: name })).json;
const deliveries = async (id: string, query = '') =>
  (await salon.api.get(`/webhooks/${id}/deliveries${query}`)).json.data as Json[];

test('an event arrives as GET /events shows it, signed, under an id that no other has', async () => {
  const { path, secret, id } = await hook(salon);
  const made = await client(salon.api, 'Anna');
  await receiver.events(path, 1);
  const [got] = receiver.of(path);
  const event = verified(secret, got!);
  const { json } = await salon.api.get(`/events?after=${event.revision - 1}&limit=1`);
  expect(event).toEqual({ ...(json.data as Json[])[0], companyId: salon.companyId });
  expect(event.data).toMatchObject({ id: made.id, firstName: 'Anna' });
  expect(got?.headers['webhook-id']).toBe(`${event.id}_${json.epoch}`);
  expect(got?.headers['content-type']).toBe('application/json');
  const [delivery] = await until('the delivery is told', async () => {
    const all = await deliveries(id);
    return all.length > 0 && all;
  });
  expect(delivery).toMatchObject({ eventId: event.id, status: 'DELIVERED', attempt: 1, responseStatus: 204, error: null });
});
