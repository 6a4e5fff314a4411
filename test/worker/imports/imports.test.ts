import { describe, expect, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Api, Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, ended, faults, headOf, imported, send } from '../../support/imports.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

describe('an import', () => {
  const client = async (externalId: string): Promise<Json> => {
    const list = await salon.api.get(`/clients?externalId=${externalId}&status=ACTIVE,INACTIVE,ARCHIVED`, {
      headers: { 'Min-Revision': String(await headOf(salon.api)) },
    });
    return (list.json.data as Json[])[0] ?? {};
  };

  test('merges into what is there: an absent column leaves, an empty cell clears', async () => {
    await salon.api.post('/clients', {
      externalId: 'm1',
      firstName: 'Anna',
      lastName: 'Berg',
      notes: 'old',
      tags: ['x'],
      customFields: { size: 38, hat: 'a', gone: true },
    });
    const file =
      "externalId,firstName,notes,tags,phone,customFields.size,customFields.hat,customFields.gone\nm1,,'=1+1,,'+43664123456,38,b,\n";
    expect(counts(await imported(salon.api, file))).toMatchObject({ created: 0, updated: 1 });
    expect(await client('m1')).toMatchObject({
      firstName: null,
      lastName: 'Berg',
      notes: '=1+1',
      tags: [],
      phone: '+43664123456',
      customFields: { size: 38, hat: 'b' },
      version: 2,
    });
    expect(counts(await imported(salon.api, file))).toMatchObject({ updated: 0, unchanged: 1 });
  });

  test('of NDJSON takes objects as the API does, and our own export back', async () => {
    const created = await salon.api.post('/clients', {
      externalId: 'n1',
      firstName: 'Nina',
      customFields: { size: '38' },
    });
    const { duplicates: _, ...exported } = created.json;
    const head = await headOf(salon.api);
    const same = `${JSON.stringify(exported)}\n{"_end":true,"count":1}\n`;
    expect(counts(await imported(salon.api, same, { type: 'application/x-ndjson; charset=utf-8' }))).toMatchObject({
      total: 1,
      unchanged: 1,
    });
    expect(await headOf(salon.api)).toBe(head);
    const lines = [
      '{"externalId":"n1","customFields":{"size":38}}',
      '',
      '{"_end":true}',
      'nonsense',
      '[]',
      '{"externalId":"n2","tags":["a","b"],"extra":1,"firstName":7}',
      '{"externalId":"n3","tags":["a","b"],"status":"ARCHIVED"}\r',
    ];
    const job = await imported(salon.api, lines.join('\n'), { type: 'application/x-ndjson' });
    expect(counts(job)).toEqual({ status: 'COMPLETED', total: 6, created: 1, updated: 1, unchanged: 0, failed: 4 });
    expect(faults(job)).toEqual({
      2: ['/_end unknown_field', '/externalId required'],
      3: [' malformed_json'],
      4: [' invalid_type'],
      5: ['/extra unknown_field', '/firstName invalid_type'],
    });
    expect(await client('n1')).toMatchObject({ customFields: { size: 38 } });
    expect(await client('n3')).toMatchObject({ status: 'ARCHIVED', tags: ['a', 'b'] });
  });

  test('takes the CSV of our own export back, and makes the same of it elsewhere', async () => {
    const [here, there] = [await openCompany(world), await openCompany(world)];
    await here.api.post('/clients', { externalId: 'plain', firstName: 'Plain' });
    await here.api.post('/clients', {
      ...{ externalId: 'full', lastName: 'Full', tags: ['a|b', '[c', '=d'] },
      customFields: { size: 38, 'a.b': '38', '=k': '=v', gone: true },
    });
    const text = async (api: Api): Promise<string> =>
      (await api.get('/clients/export?format=csv', { headers: { 'Min-Revision': String(await headOf(api)) } })).text;
    const file = await text(here.api);
    const head = await headOf(here.api);
    const back = await imported(here.api, file);
    expect([faults(back), counts(back)]).toMatchObject([{}, { unchanged: 2 }]);
    expect(await headOf(here.api)).toBe(head);
    const job = await imported(there.api, file);
    expect([faults(job), counts(job)]).toMatchObject([{}, { created: 2 }]);
    const lasting = (csv: string): string[] =>
      csv
        .replaceAll(/clnt_\w+|\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
        .split('\r\n')
        .sort();
    expect(lasting(await text(there.api))).toEqual(lasting(file));
    // Beside columns of single members, in whatever order.
    const mixed =
      'externalId,customFields.hat,customFields,customFields.size\nfull,b,"{""gone"":null,""new"":true}",39\n';
    expect(counts(await imported(there.api, mixed))).toMatchObject({ updated: 1 });
    const [full] = (await there.api.get('/clients?externalId=full')).json.data as Json[];
    const { hat, size, new: added, gone, 'a.b': dotted } = (full as Json).customFields as Json;
    expect([hat, size, added, gone, dotted]).toEqual(['b', '39', true, undefined, '38']);
    expect(faults(await imported(there.api, 'externalId,customFields\nfull,shoe 38\n'))).toEqual({
      1: ['/customFields invalid_type'],
    });
  });

  test('the database refuses one row: it alone fails, readably', async () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`a${i}`, i]));
    await salon.api.post('/clients', { externalId: 'full', customFields: many });
    const rows = Array.from({ length: 40 }, (_, i) => `p${i},x`);
    rows.splice(17, 0, 'full,one too many');
    for (const dryRun of [true, false]) {
      const job = await imported(salon.api, `externalId,customFields.more\n${rows.join('\n')}`, { dryRun });
      expect(counts(job)).toMatchObject({ total: 41, created: 40, failed: 1 });
      expect(job.rows).toEqual([
        {
          row: 18,
          status: 'FAILED',
          errors: [{ pointer: '/customFields', code: 'invalid_body', detail: 'Must have at most 50 keys.' }],
        },
      ]);
    }
  });

  test('while others write the same clients loses nothing of either', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => `c${i},Name ${i}`);
    const before = await headOf(salon.api);
    const reply = await send(salon.api, `externalId,lastName\n${rows.join('\n')}`);
    const written = await Promise.all(
      Array.from({ length: 30 }, (_, i) => salon.api.post('/clients', { firstName: `walk-in ${i}` })),
    );
    expect(written.map(({ status }) => status)).toEqual(Array(30).fill(201));
    expect(counts(await ended(salon.api, reply.json.id))).toMatchObject({ total: 1500, created: 1500, failed: 0 });
    expect(await headOf(salon.api)).toBe(before + 1530);
    // Announced like every other write: another isolate sees it without asking for a revision.
    const list = await salon.api.at(String(world.elsewhere[0])).get('/clients?externalId=c1499');
    expect((list.json.data as Json[]).length).toBe(1);
  });

  test('is allowed to managers and above, and seen by its own company alone', async () => {
    const [staff, manager, other] = [
      await addUser(world, salon, 'STAFF'),
      await addUser(world, salon, 'MANAGER'),
      await openCompany(world),
    ];
    expectProblem(await send(staff, 'externalId\nx'), 'forbidden');
    expectProblem(await send(salon.api.as(null), 'externalId\nx'), 'unauthenticated');
    const reply = await send(manager, 'externalId\nmine', { headers: { 'Idempotency-Key': 'once' } });
    expect(reply.status, reply.text).toBe(202);
    expect(reply.headers.get('location')).toBe(`/api/v1/imports/${reply.json.id}`);
    expect(reply.revision).toBeGreaterThan(0);
    expect(counts(await ended(manager, reply.json.id))).toMatchObject({ created: 1 });
    expectProblem(await staff.get(`/imports/${reply.json.id}`), 'forbidden');
    const foreign = await other.api.get(`/imports/${reply.json.id}`);
    expectProblem(foreign, 'not_found');
    expect({ ...gist(foreign), text: '' }).toEqual({ ...gist(await other.api.get('/imports/nonsense')), text: '' });
    const again = await send(manager, 'externalId\nmine', { headers: { 'Idempotency-Key': 'once' } });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(again.text).toBe(reply.text);
    expectProblem(
      await send(manager, 'externalId\nother', { headers: { 'Idempotency-Key': 'once' } }),
      'idempotency_key_reused',
    );
  });

  test('that has ended answers 304 to whoever holds it', async () => {
    const job = await imported(salon.api, 'externalId\nheld');
    const read = await salon.api.get(`/imports/${job.id}`);
    const held = await salon.api.get(`/imports/${job.id}`, {
      headers: { 'If-None-Match': String(read.headers.get('etag')) },
    });
    expect([held.status, held.text]).toEqual([304, '']);
    expectProblem(await salon.api.get(`/imports/${job.id}?a=1`), 'unknown_parameter');
    expectProblem(
      await salon.api.get(`/imports/${job.id}`, { headers: { 'Min-Revision': '999999' } }),
      'revision_ahead',
      ['revision'],
    );
  });
});
