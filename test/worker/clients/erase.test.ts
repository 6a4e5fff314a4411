import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Json, Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { imported, send } from '../../support/imports.ts';
import { openRedis } from '../../support/redis.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await ownWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');

const create = async (body: Json, tenant = salon): Promise<Json> => {
  const reply = await tenant.api.post('/clients', body);
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
};
/** Everything that Redis holds, as text. */
const inRedis = async (): Promise<string> => {
  const redis = openRedis(world);
  const texts = [];
  for (const key of await redis.keys('*')) texts.push(await redis.get(key));
  redis.stop();
  return texts.join().toLowerCase();
};
const fresh = (path: string, tenant = salon): Promise<Reply> =>
  tenant.api.get(path, { headers: { 'Cache-Control': 'no-cache' } });
const uuidOf = async (id: unknown): Promise<string> => {
  const events = await fresh('/events?limit=500');
  const { revision } = (events.json.data as Json[]).findLast(({ entityId }) => entityId === id) as { revision: number };
  const [row] = await world.sql<{ entity_id: string }>(
    'select c.entity_id from changes c join users u using (company_id) where u.email = $1 and c.revision = $2',
    [salon.email, revision],
    'cp_owner',
  );
  return String(row?.entity_id);
};

describe('include', () => {
  test('duplicates and stats, on a detail and a list, and they follow other clients', async () => {
    const email = `${randomUUID()}@example.com`;
    const one = await create({ firstName: 'Dup', email, phone: '+4312345670' });
    const two = await create({ firstName: 'Dup2', email: email.toUpperCase() });
    const three = await create({ lastName: 'Dup3', phone: '+4312345670' });
    expect(two.duplicates).toEqual([one.id]);
    expect(three.duplicates).toEqual([one.id]);
    const detail = await fresh(`/clients/${one.id}?include=duplicates,stats`);
    expect(detail.json.duplicates).toEqual([two.id, three.id]);
    expect(detail.json.stats).toEqual({
      visits: 0,
      noShows: 0,
      spent: { amount: 0, currency: 'EUR' },
      lastVisitAt: null,
    });
    const list = await fresh(`/clients?search=${email}&include=duplicates&fields=firstName`);
    expect(list.json.data).toEqual([
      { id: two.id, firstName: 'Dup2', duplicates: [one.id] },
      { id: one.id, firstName: 'Dup', duplicates: [two.id, three.id] },
    ]);
    // The cached detail of one changes because two does.
    const patched = await salon.api.patch(`/clients/${two.id}`, { email: null });
    const after = await salon.api.get(`/clients/${one.id}?include=duplicates`, {
      headers: { 'Min-Revision': String(patched.revision) },
    });
    expect(after.json.duplicates).toEqual([three.id]);
    expect((await salon.api.get(`/clients/${one.id}?include=secrets`)).json.code).toBe('invalid_parameter');
    expect((await salon.api.get(`/clients/${one.id}`)).json).not.toHaveProperty('duplicates');
  });

  test("never another company's", async () => {
    const email = `${randomUUID()}@example.com`;
    await create({ email }, other);
    const mine = await create({ email });
    expect(mine.duplicates).toEqual([]);
    expect((await fresh(`/clients/${mine.id}?include=duplicates`)).json.duplicates).toEqual([]);
  });
});

describe('erase', () => {
  const SECRET = ['Zaphod', 'Beeblebrox', 'zaphod@example.com', '+4399988877', 'two heads', 'heart-of-gold', 'vip-tag'];
  const person = {
    firstName: SECRET[0],
    lastName: SECRET[1],
    email: SECRET[2],
    phone: SECRET[3],
    notes: SECRET[4],
    externalId: SECRET[5],
    tags: [SECRET[6]],
    customFields: { heads: 'two heads' },
  };
  const silent = (text: string): void => {
    for (const secret of SECRET) expect(text).not.toContain(secret);
  };

  test('leaves nothing of the person anywhere, and the revisions as they were', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const made = await salon.api.post('/clients', person, { headers: key });
    const { id } = made.json;
    await salon.api.patch(`/clients/${id}`, { notes: 'two heads, three arms' });
    const alias = await create({ firstName: 'Zaphod', tags: ['vip-tag', 'alias'], notes: 'two heads too' });
    const before = await salon.api.post(`/clients/${id}/merge`, { sourceId: alias.id });
    await fresh('/clients?search=zaphod');
    // Files that name the person, rightly and wrongly.
    const cells = [person.externalId, person.lastName, person.email, person.phone, person.notes].join();
    const lines = [
      JSON.stringify({ ...person, phone: 'two heads', tags: 'vip-tag' }),
      JSON.stringify({ ...person, externalId: 'x'.repeat(300) }),
    ];
    const jobs = [
      await imported(salon.api, `externalId,lastName,email,phone,notes\n${cells}\n${cells}`, {
        headers: { 'Idempotency-Key': randomUUID() },
      }),
      await imported(salon.api, lines.join('\n'), { type: 'application/x-ndjson', dryRun: true }),
    ];
    expect(jobs.map(({ failed }) => failed)).toEqual([1, 2]);
    // Of a file without a header row nothing is kept.
    expect((await send(salon.api, `${cells}\n${cells}`)).status).toBe(422);
    const internal = await uuidOf(id);

    const erased = await salon.api.post(`/clients/${id}/erase`);
    expect(erased.status, erased.text).toBe(200);
    expect(erased.revision).toBe(before.revision + 3);
    await until('Redis has forgotten', async () => {
      const text = await inRedis();
      return SECRET.every((secret) => !text.includes(secret.toLowerCase()));
    });
    expect(erased.json).toMatchObject({
      id,
      name: 'Erased',
      firstName: null,
      lastName: null,
      email: null,
      phone: null,
      notes: null,
      externalId: null,
      tags: [],
      customFields: {},
      status: 'ARCHIVED',
    });

    const headers = { 'Min-Revision': String(erased.revision) };
    const events = await salon.api.get('/events?limit=500', { headers });
    silent(events.text);
    const own = (events.json.data as Json[]).filter(({ entityId }) => entityId === id);
    expect(own.map(({ type }) => type)).toEqual([
      'client.created',
      'client.updated',
      'client.updated',
      'client.updated',
      'client.erased',
    ]);
    expect(new Set(own.map(({ data }) => (data as Json).name))).toEqual(new Set(['Erased']));
    silent((await salon.api.get('/audit?limit=500', { headers })).text);
    silent((await salon.api.get('/clients?status=ACTIVE,INACTIVE,ARCHIVED&limit=100', { headers })).text);
    silent((await salon.api.get('/clients/export?status=ARCHIVED', { headers })).text);
    expect((await salon.api.get('/clients?search=zaphod&status=ARCHIVED', { headers })).json.data).toEqual([]);
    expect((await salon.api.get('/clients?search=zahpod&status=ARCHIVED', { headers })).json.data).toEqual([]);
    expect((await salon.api.get(`/clients/${alias.id}`, { headers })).json).toMatchObject({
      name: 'Erased',
      mergedInto: id,
    });
    const replay = await salon.api.post('/clients', person, { headers: key });
    expect([replay.status, replay.headers.get('idempotency-replayed'), replay.json.name]).toEqual([
      201,
      'true',
      'Erased',
    ]);
    silent(replay.text);
    for (const { id } of jobs) silent((await salon.api.get(`/imports/${id}`)).text);
    const tables = await world.sql<{ name: string }>(
      `select tablename::text as name from pg_tables where schemaname = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name: table } of tables) {
      const rows = await world.sql(`select to_jsonb(t)::text as text from ${table} t`);
      for (const { text } of rows)
        for (const secret of SECRET) expect(text.toLowerCase(), table).not.toContain(secret.toLowerCase());
    }
    silent(world.worker.logs.join());
    const revisions = await world.sql<{ n: number; top: number }>(
      'select count(*)::int n, max(revision)::int top from changes where company_id = (select company_id from clients where id = $1)',
      [internal],
    );
    expect(revisions[0]?.n).toBe(revisions[0]?.top);
  });

  test('is done once: repeating answers the same, changing is refused', async () => {
    const { id } = await create({ ...person, externalId: 'other' });
    const first = await salon.api.post(`/clients/${id}/erase`);
    const again = await salon.api.post(`/clients/${id}/erase`);
    expect([again.status, again.revision, again.json]).toEqual([200, first.revision, first.json]);
    for (const reply of [
      await salon.api.patch(`/clients/${id}`, { firstName: 'Back' }),
      await salon.api.post(`/clients/${id}/restore`),
      await salon.api.post(`/clients/${id}/merge`, { sourceId: (await create({ firstName: 'x' })).id }),
      await salon.api.post(`/clients/${(await create({ firstName: 'y' })).id}/merge`, { sourceId: id }),
    ]) {
      expect([reply.status, reply.json.code]).toEqual([409, 'erased']);
    }
    expect((await salon.api.delete(`/clients/${id}`)).status).toBe(200);
    // The external id is free again.
    await create({ externalId: 'other' });
  });

  test("cannot reach another company's client, nor be done by who may not", async () => {
    const { id } = await create({ firstName: 'Ours' });
    expect((await other.api.post(`/clients/${id}/erase`)).status).toBe(404);
    expect((await fresh(`/clients/${id}`)).json.name).toBe('Ours');
    const manager = await addUser(world, salon, 'MANAGER');
    expect((await manager.post(`/clients/${id}/erase`)).status).toBe(403);
    expect((await manager.get('/audit')).status).toBe(403);
    const merged = await manager.post(`/clients/${id}/merge`, { sourceId: (await create2(manager)).id });
    expect(merged.status, merged.text).toBe(200);
  });
});

async function create2(api: Tenant['api']): Promise<Json> {
  return (await api.post('/clients', { firstName: 'By a manager' })).json;
}
