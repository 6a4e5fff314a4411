import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');

const create = async (body: Json, tenant = salon): Promise<Json> => {
  const reply = await tenant.api.post('/clients', body);
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
};
const fresh = (path: string, tenant = salon): Promise<Reply> =>
  tenant.api.get(path, { headers: { 'Cache-Control': 'no-cache' } });
describe('merge', () => {
  test('fills, unites, archives and says where the source went', async () => {
    const target = await create({ firstName: 'Ann', tags: ['a', 'b'], customFields: { x: 1, y: 2 } });
    const source = await create({
      firstName: 'Anna',
      lastName: 'Meier',
      email: 'anna@example.com',
      tags: ['b', 'c'],
      customFields: { y: 3, z: 4 },
      externalId: 'ext-merge',
      notes: 'n',
    });
    const merged = await salon.api.post(`/clients/${target.id}/merge`, { sourceId: source.id });
    expect(merged.status, merged.text).toBe(200);
    expect(merged.json).toMatchObject({
      id: target.id,
      name: 'Ann Meier',
      email: 'anna@example.com',
      tags: ['a', 'b', 'c'],
      customFields: { x: 1, y: 2, z: 4 },
      externalId: 'ext-merge',
      notes: 'n',
      status: 'ACTIVE',
      version: 2,
    });
    const gone = await fresh(`/clients/${source.id}`);
    expect(gone.json).toMatchObject({
      status: 'ARCHIVED',
      mergedInto: target.id,
      externalId: null,
      name: 'Anna Meier',
    });
    const events = await fresh(`/events?after=${merged.revision - 2}`);
    expect((events.json.data as Json[]).map(({ type, entityId }) => [type, entityId])).toEqual([
      ['client.merged', source.id],
      ['client.updated', target.id],
    ]);
    const again = await salon.api.post(`/clients/${target.id}/merge`, { sourceId: source.id });
    expect([again.status, again.revision]).toEqual([200, merged.revision]);
  });

  test.each([
    ['restore', (id: unknown) => salon.api.post(`/clients/${id}/restore`)],
    ['a patch', (id: unknown) => salon.api.patch(`/clients/${id}`, { status: 'ACTIVE', notes: 'back' })],
    [
      'a patch that leaves it archived',
      (id: unknown) => salon.api.patch(`/clients/${id}`, { status: 'ARCHIVED', notes: 'n' }),
    ],
    ['a patch to INACTIVE', (id: unknown) => salon.api.patch(`/clients/${id}`, { status: 'INACTIVE' })],
  ])('is not undone by %s, which is refused', async (_, undo) => {
    const [target, source] = [await create({ firstName: 'T' }), await create({ firstName: 'S' })];
    await salon.api.delete(`/clients/${source.id}`);
    await salon.api.post(`/clients/${target.id}/merge`, { sourceId: source.id });
    const before = (await fresh(`/clients/${source.id}`)).json;
    const refused = await undo(source.id);
    expectProblem(refused, 'conflict', ['mergedInto']);
    expect(refused.json.mergedInto).toBe(target.id);
    expect((await fresh(`/clients/${source.id}`)).json).toEqual(before);
    expect(before).toMatchObject({ status: 'ARCHIVED', mergedInto: target.id });
    await salon.api.delete(`/clients/${target.id}`);
    expect((await undo(target.id)).status).toBe(200);
  });

  test('keeps the external id of a source that has no other name', async () => {
    const target = await create({ firstName: 'T' });
    const source = await create({ externalId: 'only' });
    const merged = await salon.api.post(`/clients/${target.id}/merge`, { sourceId: source.id });
    expect(merged.json.externalId).toBeNull();
    expect((await fresh(`/clients/${source.id}`)).json.externalId).toBe('only');
  });

  test('refuses what cannot be merged, and changes nothing', async () => {
    const target = await create({ firstName: 'Target' });
    const foreign = await create({ firstName: 'Foreign' }, other);
    const merge = (sourceId: unknown, headers = {}) =>
      salon.api.post(`/clients/${target.id}/merge`, { sourceId }, { headers });
    const absent = 'clnt_00000000000000000000000000';
    const faults = (reply: Reply) => (reply.json.errors as Json[]).map(({ pointer, code }) => [pointer, code]);
    const replies = [];
    for (const sourceId of [foreign.id, absent, 'nonsense', 'brch_00000000000000000000000000']) {
      const reply = await merge(sourceId);
      expect([reply.status, reply.json.code], String(sourceId)).toEqual([422, 'unknown_reference']);
      expect(faults(reply)).toEqual([['/sourceId', 'unknown_reference']]);
      replies.push(reply.json.detail);
    }
    expect(new Set(replies).size).toBe(1);
    const same = await merge(target.id);
    expect([same.status, faults(same)]).toEqual([422, [['/sourceId', 'invalid_body']]]);
    const nobody = await salon.api.post(`/clients/${absent}/merge`, { sourceId: absent });
    expect(nobody.status).toBe(404);
    const stale = await merge((await create({ firstName: 'S' })).id, { 'If-Match': '"7"' });
    expect(stale.status).toBe(412);
    const [a, b, c] = [
      await create({ firstName: 'a' }),
      await create({ firstName: 'b' }),
      await create({ firstName: 'c' }),
    ];
    await salon.api.post(`/clients/${a.id}/merge`, { sourceId: b.id });
    expect((await salon.api.post(`/clients/${c.id}/merge`, { sourceId: b.id })).status).toBe(409);
    expect((await salon.api.post(`/clients/${b.id}/merge`, { sourceId: c.id })).status).toBe(409);
    expect((await fresh(`/clients/${target.id}`)).json.version).toBe(1);
  });
});
