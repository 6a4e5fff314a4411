import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

const bulk = (mode: string, items: unknown[], headers: Record<string, string> = {}, tenant = salon): Promise<Reply> =>
  tenant.api.post('/clients/bulk', { mode, items }, { headers });
const data = (reply: Reply): Json[] => {
  expect(reply.status, reply.text).toBe(200);
  return reply.json.data as Json[];
};
const total = async (tenant = salon): Promise<number> => {
  const reply = await tenant.api.get('/clients?limit=1', { headers: { 'Cache-Control': 'no-cache' } });
  return (reply.json.pagination as { total: number }).total;
};
const pointers = (of: Json): string[] => ((of.errors ?? []) as Json[]).map(({ pointer, code }) => `${pointer} ${code}`);

describe('atomic', () => {
  test('stores all, in order, one revision each, seen at once', async () => {
    const tenant = await openCompany(world);
    expect(await total(tenant)).toBe(0);
    const items = Array.from({ length: 500 }, (_, i) => ({
      firstName: `No ${i}`,
      tags: ['bulk'],
      customFields: { i },
    }));
    const reply = await bulk('atomic', items, {}, tenant);
    expect(data(reply).map(({ index, status }) => [index, status])).toEqual(items.map((_, i) => [i, 201]));
    expect(reply.revision).toBe(502);
    expect(await total(tenant)).toBe(500);
    const one = await tenant.api.get(`/clients/${data(reply)[7]?.id}`);
    expect(one.json).toMatchObject({ firstName: 'No 7', tags: ['bulk'], customFields: { i: 7 }, version: 1 });
  });

  test('refuses the whole with a pointer into every faulty item', async () => {
    const before = await total();
    const reply = await bulk('atomic', [
      { firstName: 'ok' },
      { email: 'x', phone: 'y' },
      {},
      null,
      { nope: 1, firstName: 'a' },
    ]);
    expect([reply.status, reply.json.code]).toEqual([422, 'invalid_body']);
    expect(pointers(reply.json)).toEqual([
      '/items/1/email invalid_format',
      '/items/1/phone invalid_format',
      '/items/2 required',
      '/items/3 invalid_type',
      '/items/4/nope unknown_field',
    ]);
    expect(await total()).toBe(before);
  });

  test('refuses the whole where the database refuses items, and takes no revision', async () => {
    await salon.api.post('/clients', { firstName: 'taken', externalId: 'taken' });
    const { revision } = await salon.api.get('/clients');
    const reply = await bulk('atomic', [
      { firstName: 'fine' },
      { externalId: 'taken' },
      { externalId: 'twice' },
      { firstName: 'fine too' },
      { externalId: 'twice' },
    ]);
    expect([reply.status, reply.json.code]).toEqual([409, 'external_id_taken']);
    expect(pointers(reply.json)).toEqual([
      '/items/1/externalId external_id_taken',
      '/items/4/externalId external_id_taken',
    ]);
    const events = await salon.api.get(`/events?after=${revision}`);
    expect(events.json).toMatchObject({ data: [], head: revision });
  });
});

describe('partial', () => {
  test('stores what it can and says of the rest what is wrong', async () => {
    const prefix = randomUUID();
    const items = Array.from({ length: 60 }, (_, i) => ({ externalId: `${prefix}-${i % 7 === 3 ? 3 : i}` }) as Json);
    items[0] = { email: 'no' };
    const verdicts = data(await bulk('partial', items));
    expect(verdicts.map(({ index }) => index)).toEqual(items.map((_, i) => i));
    for (const [i, verdict] of verdicts.entries()) {
      const expected = i === 0 ? 422 : i % 7 === 3 && i !== 3 ? 409 : 201;
      expect([i, verdict.status]).toEqual([i, expected]);
      if (expected === 201) expect(verdict.id).toMatch(/^clnt_/);
      else expect(verdict).not.toHaveProperty('id');
    }
    expect(verdicts[0]?.problem).toMatchObject({ code: 'invalid_body', status: 422 });
    expect(pointers(verdicts[0]?.problem as Json)).toEqual(['/items/0/email invalid_format']);
    expect(pointers(verdicts[10]?.problem as Json)).toEqual(['/items/10/externalId external_id_taken']);
    const found = await salon.api.get(`/clients?search=${prefix}&limit=100`);
    expect((found.json.pagination as Json).total).toBe(verdicts.filter(({ status }) => status === 201).length);
  });

  test('nothing right stores nothing and is still an answer', async () => {
    const before = await total();
    expect(data(await bulk('partial', [{}, {}])).map(({ status }) => status)).toEqual([422, 422]);
    expect(await total()).toBe(before);
  });
});

test('a repeat with the same key answers the same ids and stores nothing', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const items = [{ firstName: 'Once' }, {}, { externalId: 'once' }, { externalId: 'once' }];
  const all = await Promise.all(Array.from({ length: 5 }, () => bulk('partial', items, headers)));
  const first = data(all[0] as Reply);
  for (const reply of all) expect(data(reply)).toEqual(first);
  expect(all.filter((reply) => reply.headers.get('idempotency-replayed') === 'true')).toHaveLength(4);
  const other = await bulk('partial', items.slice(1), headers);
  expect(other.json.code).toBe('idempotency_key_reused');
});

test('the envelope has rules of its own', async () => {
  for (const [body, pointer] of [
    [{ mode: 'some', items: [{}] }, '/mode invalid_value'],
    [{ mode: 'atomic', items: [] }, '/items too_small'],
    [{ mode: 'atomic', items: Array(501).fill({ firstName: 'a' }) }, '/items too_big'],
    [{ mode: 'atomic' }, '/items required'],
  ] as const) {
    const reply = await salon.api.post('/clients/bulk', body);
    expect(reply.status, reply.text).toBe(422);
    expect(pointers(reply.json)).toEqual([pointer]);
  }
  expect((await salon.api.post('/clients/bulk')).json.code).toBe('empty_body');
});

test('costs five requests', async () => {
  const left = async (ask: () => Promise<Reply>) =>
    Number(/r=(\d+)/.exec((await ask()).headers.get('ratelimit') ?? '')?.[1]);
  for (;;) {
    const before = await left(() => salon.api.get('/company'));
    const after = await left(() => bulk('atomic', [{ firstName: 'a' }]));
    // A window that ends in between starts the count anew.
    if (after > before) continue;
    expect(before - after).toBe(5);
    break;
  }
});

test('branches have it too', async () => {
  const reply = await salon.api.post('/branches/bulk', {
    mode: 'partial',
    items: [
      { name: 'A', timeZone: 'UTC', address: { line1: 'x', city: 'y', postalCode: 'z', country: 'AT' } },
      { name: 'B', timeZone: 'nowhere' },
    ],
  });
  expect(data(reply).map(({ status }) => status)).toEqual([201, 422]);
  const branch = await salon.api.get(`/branches/${data(reply)[0]?.id}`);
  expect(branch.json).toMatchObject({ name: 'A', address: { country: 'AT' } });
});
