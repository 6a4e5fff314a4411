import { beforeEach, describe, expect, test } from 'vitest';
import type { Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { allClients, counts, faults, headOf, imported, send } from '../../support/imports.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// Files as owners have them: from a spreadsheet, with headers of their own, without our ids.

let salon: Tenant;
const world = await sharedWorld();
beforeEach(async () => {
  salon = await openCompany(world);
});

const mapped = (columns: object, more = ''): { query: string } => ({
  query: `&columns=${encodeURIComponent(JSON.stringify(columns))}${more}`,
});

test.each([
  ['semicolons', 'externalId;firstName;notes\n1;Anna;"a;b, c"\n', 'utf8'],
  ['tabs', 'externalId\tfirstName\tnotes\n1\tAnna\ta;b, c\n', 'utf8'],
  ['a line that names the delimiter', 'sep=;\r\nexternalId;firstName;notes\r\n1;Anna;"a;b, c"\r\n', 'utf8'],
  ['Latin-1', 'externalId;firstName;notes\n1;Zoë Größe;ñ\n', 'latin1'],
] as const)('%s', async (_, file, encoding) => {
  const job = await imported(salon.api, Buffer.from(file, encoding));
  expect(counts(job)).toMatchObject({ status: 'COMPLETED', created: 1, failed: 0 });
  const [client] = await allClients(salon.api);
  expect([client?.name, client?.notes]).toEqual(encoding === 'latin1' ? ['Zoë Größe', 'ñ'] : ['Anna', 'a;b, c']);
});

test('headers of their own, mapped; a second run changes nothing', async () => {
  const file = 'Nr;Vorname;Nachname;Rabatt;Schuhgröße\n7;Anna;Muster;5;38\n8;Eva;Beispiel;;39\n';
  const columns = {
    Nr: 'externalId',
    Vorname: 'firstName',
    Nachname: 'lastName',
    Rabatt: null,
    Schuhgröße: 'customFields.shoe',
  };
  expect(counts(await imported(salon.api, file, mapped(columns)))).toMatchObject({ created: 2, failed: 0 });
  expect((await allClients(salon.api))[0]).toMatchObject({ name: 'Anna Muster', customFields: { shoe: '38' } });
  const head = await headOf(salon.api);
  expect(counts(await imported(salon.api, file, mapped(columns)))).toMatchObject({ unchanged: 2, failed: 0 });
  expect(await headOf(salon.api)).toBe(head);
});

describe('a file that cannot be meant is refused whole, naming both lists', () => {
  test.each([
    [
      'nothing known',
      'clients',
      'Name;Mail\nAnna;a@example.com\n',
      {},
      /no column that is known here.*Name, Mail.*externalId, firstName/,
      ['externalId'],
    ],
    [
      'no match key',
      'clients',
      'firstName;Mail\nAnna;a@example.com\n',
      {},
      /lacks the columns: externalId\. Rows are found without externalId by match=email or match=phone\..*Mail/,
      ['externalId'],
    ],
    [
      'a mapping of what is not there',
      'clients',
      'externalId\n1\n',
      { Vorname: 'firstName' },
      /does not have: Vorname/,
      [],
    ],
    ['staff without names', 'staff', 'externalId;color\n1;red\n', {}, /lacks the columns: firstName/, ['firstName']],
    [
      'services, mapped, a header alone',
      'services',
      'externalId;Preis\n',
      { Preis: 'price.amount' },
      /lacks the columns: name, durationMinutes/,
      ['name', 'durationMinutes'],
    ],
    [
      'appointments',
      'appointments',
      'externalId;staffExternalId;localStart;Salon\n1;jj;2026-03-02T09:00;x\n',
      {},
      /lacks the columns: branchExternalId, serviceExternalIds\. Columns of the file: externalId, staffExternalId, localStart, Salon\./,
      ['branchExternalId', 'serviceExternalIds'],
    ],
    [
      'invoices that lack all',
      'invoices',
      'Nr;Betrag\n1;5\n',
      {},
      /no column that is known/,
      ['externalId', 'branchExternalId', 'issueDate', 'lines'],
    ],
  ])('%s', async (_, resource, file, columns, detail, missing) => {
    const reply = await send(salon.api, file, { resource, ...mapped(columns) });
    const errors = expectProblem(reply, 'invalid_body', [
      ...['missing', 'columns', ...(Object.keys(columns).length > 0 ? ['mapping'] : [])],
    ]);
    expect(reply.json.detail).toMatch(detail);
    expect(errors.filter(({ code }) => code === 'required').map(({ pointer }) => pointer)).toEqual(
      missing.map((name) => `/${name}`),
    );
    const [header = ''] = file.split('\n');
    expect(reply.json).toMatchObject({
      missing,
      columns: header.split(';'),
      ...(Object.keys(columns).length > 0 && { mapping: columns }),
    });
    expect((await salon.api.get('/imports')).json.data).toEqual([]);
  });

  test('what is there needs no more than what changes; a new one among them is an error of its row', async () => {
    await salon.api.post('/services', { externalId: 'cut', name: 'Cut', durationMinutes: 30 });
    const file = 'externalId,price.amount,price.currency\nnew,4500,EUR\ncut,4500,EUR\n';
    const job = await imported(salon.api, file, { resource: 'services' });
    expect(counts(job)).toMatchObject({ updated: 1, created: 0, failed: 1 });
    expect(faults(job)).toEqual({ 1: ['/name invalid_body'] });
  });
});

test.each([
  ['no JSON', 'x'],
  ['a list', '[]'],
  ['an unknown field', '{"a":"surname"}'],
  ['two for one field', '{"a":"firstName","b":"firstName"}'],
  ['a number', '{"a":1}'],
])('columns that say %s', async (_, columns) => {
  const reply = await send(salon.api, 'externalId\n1', { query: `&columns=${encodeURIComponent(columns)}` });
  expect(expectProblem(reply, 'invalid_parameter')[0]?.parameter).toBe('columns');
});

describe.each(['email', 'phone'] as const)('matched by %s', (match) => {
  const [anna, eva, new_] =
    match === 'email'
      ? ['anna@example.com', 'eva@example.com', 'new@example.com']
      : ['+43664000001', '+43664000002', '+43664000003'];
  const by = { query: `&match=${match}` };

  test('the one client who has it is updated, others are made, a repeat changes nothing', async () => {
    const made = await salon.api.post('/clients', {
      firstName: 'Anna',
      [match]: match === 'email' ? 'Anna@Example.com' : anna,
    });
    const file = `${match},lastName\n${anna},Muster\n${new_},Neu\n,Niemand\n${anna},Doppelt\n`;
    const job = await imported(salon.api, file, by);
    expect(counts(job)).toMatchObject({ created: 1, updated: 1, failed: 2 });
    expect(faults(job)).toEqual({ 3: [`/${match} required`], 4: [`/${match} duplicate_key`] });
    expect((await salon.api.get(`/clients/${made.json.id}`)).json.name).toBe('Anna Muster');
    const again = await imported(salon.api, file, by);
    expect(counts(again)).toMatchObject({ created: 0, updated: 0, unchanged: 2 });
  });

  test('two who have it are a fault of the row; archived, merged and erased ones stand back', async () => {
    const ids: unknown[] = [];
    for (const firstName of ['Eva', 'Eve'])
      ids.push((await salon.api.post('/clients', { firstName, [match]: eva })).json.id);
    const file = `${match},lastName\n${eva},Beispiel\n${new_},Neu\n`;
    const both = await imported(salon.api, file, by);
    expect(counts(both)).toMatchObject({ created: 1, failed: 1 });
    expect(faults(both)).toEqual({ 1: [`/${match} ambiguous_match`] });
    await salon.api.delete(`/clients/${ids[1]}`);
    expect(counts(await imported(salon.api, file, by))).toMatchObject({ updated: 1, unchanged: 1 });
    expect((await salon.api.get(`/clients/${ids[0]}`)).json.lastName).toBe('Beispiel');
    await salon.api.post(`/clients/${ids[0]}/erase`);
    expect(counts(await imported(salon.api, file, by))).toMatchObject({ updated: 1, created: 0 });
    expect((await salon.api.get(`/clients/${ids[1]}`)).json).toMatchObject({
      lastName: 'Beispiel',
      status: 'ARCHIVED',
    });
  });

  test('an external id that somebody else has is a fault of the row', async () => {
    await salon.api.post('/clients', { externalId: 'taken' });
    const job = await imported(salon.api, `${match},externalId\n${anna},taken\n${eva},free\n`, by);
    expect(job.created).toBe(1);
    expect(faults(job)).toEqual({ 1: ['/externalId external_id_taken'] });
  });
});

test('amounts as people write them are refused where they stand, not taken for a hundredth', async () => {
  const file = [
    'externalId;name;durationMinutes;price.amount;price.currency;taxes.1.name;taxes.1.rateBasisPoints;isActive',
    ...[
      '1;A;30;45,00;EUR;;;true',
      '2;A;30;45.00;EUR;;;ja',
      '3;A;1.5;1.234,50;EUR;USt;20%;true',
      '4;A;30;4500;EUR;USt;2000;FALSE',
    ],
  ].join('\r\n');
  const job = await imported(salon.api, file, { resource: 'services' });
  expect(counts(job)).toMatchObject({ created: 1, failed: 3 });
  expect(faults(job)).toEqual({
    1: ['/price/amount invalid_type'],
    2: ['/isActive invalid_type', '/price/amount invalid_type'],
    3: ['/durationMinutes invalid_type', '/price/amount invalid_type', '/taxes/0/rateBasisPoints invalid_type'],
  });
  const details = new Set(job.rows.flatMap(({ errors }) => errors.map(({ detail }) => detail)));
  expect([...details]).toEqual([
    'Must be a whole number such as 4500, without separators; amounts are in minor units.',
    'Must be true or false.',
  ]);
  const sheet = await send(salon.api, Buffer.from('504b0304140000000800', 'hex'));
  expectProblem(sheet, 'malformed_file');
  expect(sheet.json.detail).toBe('This is a spreadsheet. Save it as CSV.');
});
