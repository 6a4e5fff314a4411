import { afterAll, afterEach, expect, test } from 'vitest';
import type { Api, Json, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { answers, type Received, Receiver, verified } from '../../support/receiver.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// What receivers are sent, over real HTTP: a day of retries is 17 s here, three days 52 s.

const world = await ownWorld({ WEBHOOK_FIRST_RETRY_MS: '1', WEBHOOK_TIMEOUT_MS: '1200' });
const receiver = await new Receiver().start();
afterAll(() => receiver.stop());
afterEach(() => {
  receiver.answer = answers.ok;
});
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

const names = (got: readonly Received[]): unknown[] => got.map(({ body }) => JSON.parse(body).data.firstName);
const told = (id: string, least: number, query = ''): Promise<Json[]> =>
  until(`${least} deliveries`, async () => {
    const all = await deliveries(id, query);
    return all.length >= least && all;
  });

test('an event arrives as GET /events shows it, signed, under an id that no other has', async () => {
  const { path, secret, id } = await hook(salon);
  const made = await client(salon.api, 'Anna');
  await receiver.events(path, 1);
  const got = receiver.of(path)[0] as Received;
  const event = verified(secret, got);
  const { json } = await salon.api.get(`/events?after=${event.revision - 1}&limit=1`);
  expect(event).toEqual({ ...(json.data as Json[])[0], companyId: salon.companyId });
  expect(event.data).toMatchObject({ id: made.id, firstName: 'Anna' });
  expect(got.headers['webhook-id']).toBe(`${event.id}_${json.epoch}`);
  expect(got.headers['content-type']).toBe('application/json');
  const [delivery] = await told(id, 1);
  expect(delivery).toMatchObject({
    eventId: event.id,
    status: 'DELIVERED',
    attempt: 1,
    responseStatus: 204,
    error: null,
  });
});

test('what fails, hangs, leads elsewhere is tried again under the same id, and what comes after it waits', async () => {
  const { path, secret, id } = await hook(salon);
  const inward = { Location: `${receiver.url}/inward` };
  receiver.answering(path, answers.failing, answers.hanging, answers.status(302, inward), answers.ok);
  for (const name of ['first', 'second', 'third']) await client(salon.api, name);
  await receiver.events(path, 6);
  const got = receiver.of(path);
  expect(names(got)).toEqual(['first', 'first', 'first', 'first', 'second', 'third']);
  expect(new Set(got.slice(0, 4).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  for (const one of got) verified(secret, one);
  expect(receiver.of('/inward')).toEqual([]);
  const all = await told(id, 6);
  expect(all.map(({ status, error, attempt }) => [status, error, attempt]).reverse()).toEqual([
    ['FAILED', 'status', 1],
    ['FAILED', 'timeout', 2],
    ['FAILED', 'redirect', 3],
    ['DELIVERED', null, 4],
    ['DELIVERED', null, 1],
    ['DELIVERED', null, 1],
  ]);
  expect(all.slice(3).map(({ responseStatus, nextAttemptAt }) => [responseStatus, nextAttemptAt === null])).toEqual([
    [302, false],
    [null, false],
    [500, false],
  ]);
  // A page at a time, and by status.
  const first = await salon.api.get(`/webhooks/${id}/deliveries?limit=2&status=FAILED`);
  const page = first.json;
  const { nextCursor } = page.pagination as { nextCursor: string };
  const next = await deliveries(id, `?limit=2&status=FAILED&cursor=${encodeURIComponent(nextCursor)}`);
  const self = `/api/v1/webhooks/${id}/deliveries?limit=2&status=FAILED`;
  expect(first.headers.get('link')).toBe(
    `<${self}>; rel="first", <${self}&cursor=${encodeURIComponent(nextCursor)}>; rel="next"`,
  );
  expect([...(page.data as Json[]), ...next]).toEqual(all.slice(3));
});

test('an answer that never ends, bursts, or is cut off is judged by its status; without one it is tried again', async () => {
  const { path, id } = await hook(salon);
  receiver.answering(path, answers.endless, answers.bomb, answers.broken, answers.cut);
  for (const name of ['one', 'two', 'three']) await client(salon.api, name);
  await receiver.events(path, 4);
  expect(names(receiver.of(path))).toEqual(['one', 'two', 'three', 'three']);
  const errors = (await told(id, 4)).map(({ error }) => error).reverse();
  expect(errors).toEqual([null, null, 'unreachable', null]);
});

test('one that hangs keeps no other endpoint waiting', async () => {
  const slow = await hook(salon);
  const quick = await hook(salon);
  receiver.answer = (response, n, got) => (got.path === slow.path ? answers.hanging : answers.ok)(response, n, got);
  for (const name of ['one', 'two', 'three']) await client(salon.api, name);
  await receiver.events(quick.path, 3);
  expect(names(receiver.of(quick.path))).toEqual(['one', 'two', 'three']);
  await salon.api.delete(`/webhooks/${slow.id}`);
});

test('410 archives the endpoint and says why; restored it goes on with what was not taken', async () => {
  const { path, id } = await hook(salon);
  receiver.answering(path, answers.gone);
  const { revision } = await salon.api.get('/company');
  await client(salon.api, 'refused');
  const gone = await until('it is archived', async () => {
    const { json } = await salon.api.get(`/webhooks/${id}`);
    return json.isActive === false && json;
  });
  expect(gone).toMatchObject({ disabledReason: 'GONE', disabledAt: expect.any(String) });
  const { data } = (await salon.api.get(`/events?after=${revision}`)).json as { data: Json[] };
  expect(data.find(({ entityId }) => entityId === id)).toMatchObject({
    type: 'webhook.archived',
    actor: { type: 'SYSTEM' },
  });
  await client(salon.api, 'meanwhile');
  const restored = await salon.api.post(`/webhooks/${id}/restore`);
  expect(restored.json).toMatchObject({ isActive: true, disabledReason: null, disabledAt: null });
  await receiver.events(path, 3);
  expect(names(receiver.of(path))).toEqual(['refused', 'refused', 'meanwhile']);
});

test('two secrets sign after a rotation; the one before the last does not', async () => {
  const { path, secret, id } = await hook(salon);
  const second = (await salon.api.post(`/webhooks/${id}/rotate`)).json;
  expect(second).toMatchObject({ id, secret: expect.stringMatching(/^whsec_[\w+/]{43}=$/) });
  await client(salon.api, 'both');
  await receiver.events(path, 1);
  const both = receiver.of(path)[0] as Received;
  for (const one of [secret, String(second.secret)]) expect(verified(one, both).data.firstName).toBe('both');
  const third = (await salon.api.post(`/webhooks/${id}/rotate`)).json;
  await client(salon.api, 'later');
  await receiver.events(path, 2);
  const later = receiver.of(path)[1] as Received;
  for (const one of [second, third]) verified(String(one.secret), later);
  expect(() => verified(secret, later)).toThrow();
  await world.sql(`update webhook_states set previous_until = clock_timestamp() where webhook_id = $1`, [
    uuidOf('whk', id),
  ]);
  await salon.api.patch(`/webhooks/${id}`, { description: 'a day later' });
  await client(salon.api, 'last');
  await receiver.events(path, 3);
  const last = receiver.of(path)[2] as Received;
  verified(String(third.secret), last);
  expect(() => verified(String(second.secret), last)).toThrow();
});

test('a replay sends once more what is behind a revision, under the ids of then', async () => {
  const { path, id } = await hook(salon);
  const { revision } = await salon.api.get('/company');
  for (const name of ['a', 'b']) await client(salon.api, name);
  await receiver.events(path, 2);
  const replay = await salon.api.post(`/webhooks/${id}/replay`, { after: revision });
  expect(replay.json).toMatchObject({ after: revision, head: revision + 2 });
  await receiver.events(path, 4);
  const got = receiver.of(path);
  expect(names(got)).toEqual(['a', 'b', 'a', 'b']);
  expect(got.slice(2).map(({ headers }) => headers['webhook-id'])).toEqual(
    got.slice(0, 2).map(({ headers }) => headers['webhook-id']),
  );
});

test('a ping is sent at once, to an archived one too, and answers how it went', async () => {
  const { path, secret, id } = await hook(salon);
  const reply = await salon.api.post(`/webhooks/${id}/ping`);
  expect(reply.json).toEqual({ delivered: true, responseStatus: 204, error: null, durationMs: expect.any(Number) });
  const event = verified(secret, receiver.of(path)[0] as Received);
  expect(event).toMatchObject({ type: 'webhook.ping', entityId: id, companyId: salon.companyId, data: { id } });
  await salon.api.delete(`/webhooks/${id}`);
  for (const [answer, responseStatus, error] of [
    [answers.failing, 500, 'status'],
    [answers.gone, 410, 'gone'],
    [answers.hanging, null, 'timeout'],
  ] as const) {
    receiver.answer = answer;
    const failed = (await salon.api.post(`/webhooks/${id}/ping`)).json;
    expect(failed).toMatchObject({ delivered: false, responseStatus, error });
  }
  expect((await salon.api.get(`/webhooks/${id}`)).json.isActive).toBe(false);
});

test('what the log no longer holds is told and not passed over in silence', async () => {
  const other = await openCompany(world);
  const { path, id } = await hook(other);
  await other.api.delete(`/webhooks/${id}`);
  for (const name of ['forgotten', 'kept']) await client(other.api, name);
  const { json } = await other.api.get('/events');
  const head = Number(json.head);
  await world.sql('delete from changes where company_id = $1 and revision < $2', [
    uuidOf('comp', other.companyId),
    head,
  ]);
  await other.api.post(`/webhooks/${id}/restore`);
  await receiver.events(path, 1);
  expect(names(receiver.of(path))).toEqual(['kept']);
  const { data } = (await other.api.get(`/webhooks/${id}/deliveries?status=SKIPPED`)).json as { data: Json[] };
  expect(data).toMatchObject([{ status: 'SKIPPED', revision: head - 1, error: 'log_trimmed', eventId: null }]);
  expect(Number(data[0]?.skippedFrom)).toBeLessThan(head);
});

test('another name for the history repeats and skips nothing', async () => {
  const other = await openCompany(world);
  const { path } = await hook(other);
  await client(other.api, 'before');
  await receiver.events(path, 1);
  await world.sql(
    'update company_heads set epoch = uuidv7(), changed_at = clock_timestamp() where company_id = $1',
    [uuidOf('comp', other.companyId)],
    'cp_definer',
  );
  await client(other.api, 'after');
  await receiver.events(path, 2);
  expect(names(receiver.of(path))).toEqual(['before', 'after']);
});

test('objects that were lost, and calls that were: the cron finds who waits, at most a minute is repeated', async () => {
  const other = await openCompany(world);
  const { path, id } = await hook(other);
  // A Worker whose objects know nothing of the endpoint, nor of what is written beside it.
  const { url, sweep } = await world.another();
  await other.api.at(url).post('/clients', { firstName: 'unheard' });
  await world.sql(
    `update webhook_states set kept_at = clock_timestamp() - interval '3 minutes' where webhook_id = $1`,
    [uuidOf('whk', id)],
  );
  await sweep();
  await receiver.events(path, 1);
  expect(names(receiver.of(path))).toEqual(['unheard']);
});
