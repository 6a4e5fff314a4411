import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  addVisits,
  type EndRow,
  headOf,
  insertClient,
  logOf,
  makeClient,
  makeCompany,
  openStage,
  refusal,
  type Stage,
  type Written,
  write,
} from '../support.ts';

// Which statements are logged, and with what. Each test has a company of its own, whose revision 1 is itself.

let stage: Stage;
let app: pg.Client;
let person: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  await addVisits(stage);
  [app, person] = await Promise.all([stage.login(), stage.console()]);
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});

const run = (text: string, ...values: unknown[]): Promise<Written> =>
  write(app, company, (client) => client.query(text, values));

const insertVisit = 'insert into visits (company_id, id, client_id, note) values ($1, $2, $3, $4)';

const imageOf = async (id: string): Promise<Record<string, unknown>> => {
  const [row] = await stage.sql<{ image: Record<string, unknown> }>(
    `select to_jsonb(c) - 'search_text' image from clients c where id = $1`,
    [id],
  );
  return row?.image ?? {};
};

test('an insert, an update and a delete carry exact images of before and after', async () => {
  const id = randomUUID();
  const custom = { 'größe "m"': 1.5, big: 9007199254740991, flag: false, text: 'a\\b\n\u2028😀' };
  const inserted = await run(
    `insert into clients (company_id, id, first_name, tags, custom_fields) values ($1, $2, $3, $4, $5)`,
    company,
    id,
    'Zoë',
    ['a,b', 'c"d', ''],
    JSON.stringify(custom),
  );
  const first = await imageOf(id);
  const updated = await run(`update clients set last_name = 'Ng', notes = 'x' where id = $1`, id);
  const second = await imageOf(id);
  const deleted = await run('delete from clients where id = $1', id);
  expect(first).toMatchObject({
    name: 'Zoë',
    tags: ['a,b', 'c"d', ''],
    custom_fields: custom,
    version: 1,
    notes: null,
  });
  expect(second).toMatchObject({ name: 'Zoë Ng', notes: 'x', version: 2, created_at: first.created_at });
  const seen = [inserted, updated, deleted].flatMap(({ changes }) => changes);
  expect(seen).toMatchObject([
    { revision: 2, entity: 'client', entity_id: id, operation: 'INSERT', schema_version: 1 },
    { revision: 3, entity: 'client', entity_id: id, operation: 'UPDATE' },
    { revision: 4, entity: 'client', entity_id: id, operation: 'DELETE' },
  ]);
  expect(seen.map(({ before, after }) => [before, after])).toEqual([
    [null, first],
    [first, second],
    [second, null],
  ]);
});

test('hidden columns are in no image, and images say which schema they are of', async () => {
  const client = await makeClient(stage, company);
  const visit = randomUUID();
  const written = [
    await run(insertVisit, company, visit, client, 'note'),
    await run(`update visits set note = 'other' where id = $1`, visit),
    await run('delete from visits where id = $1', visit),
    await run(`update clients set first_name = 'Bo' where id = $1`, client),
  ].flatMap(({ changes }) => changes);
  const columns = ['client_id', 'company_id', 'created_at', 'id', 'note', 'updated_at', 'version'];
  expect(written.map(({ schema_version }) => schema_version)).toEqual([7, 7, 7, 1]);
  for (const { entity, before, after } of written) {
    for (const image of [before, after].filter((each) => each !== null)) {
      if (entity === 'visit') expect(Object.keys(image).sort()).toEqual(columns);
      else expect(Object.keys(image)).not.toContain('search_text');
    }
  }
});

test('instants are logged in UTC whatever the zone and style of the session', async () => {
  const id = randomUUID();
  const { changes } = await write(app, company, async (client) => {
    await client.query(`set local timezone = 'Asia/Kolkata'; set local datestyle = 'SQL, DMY'`);
    await client.query(`insert into clients (company_id, id, first_name, created_at) values ($1, $2, 'x', $3)`, [
      company,
      id,
      '2026-03-29T01:30:00.123456Z',
    ]);
    await client.query(`update clients set first_name = 'y' where id = $1`, [id]);
    await client.query('delete from clients where id = $1', [id]);
  });
  const shown = changes.flatMap(({ before, after }) => [before?.created_at, after?.created_at]);
  const instant = '2026-03-29T01:30:00.123+00:00';
  expect(shown).toEqual([undefined, instant, instant, instant, instant, undefined]);
});

test('actor and request are those of begin_write; a console is named by its login', async () => {
  const id = randomUUID();
  const order = { actor: 'USER:7', request: 'req_1' };
  const { changes } = await write(app, company, (client) => client.query(insertClient, [company, id, 'x']), order);
  expect(changes).toMatchObject([{ actor: 'USER:7', request_id: 'req_1' }]);
  await person.query(`update clients set first_name = 'y' where id = $1`, [id]);
  expect(await logOf(stage, company)).toMatchObject([
    { revision: 1, entity: 'company', actor: 'SQL:postgres', request_id: null },
    { revision: 2, actor: 'USER:7' },
    { revision: 3, actor: 'SQL:postgres', request_id: null, before: { first_name: 'x' }, after: { first_name: 'y' } },
  ]);
});

test('an update that changes nothing takes no revision, keeps the version, and RETURNING still answers the row', async () => {
  const id = await makeClient(stage, company, 'Ann');
  const before = await imageOf(id);
  const { head, rows } = await write(app, company, async (client) => {
    const same = await client.query(`update clients set first_name = 'Ann' where id = $1 returning id, version`, [id]);
    expect(same.rows).toEqual([{ id, version: 1 }]);
    // Equal as JSON, though not as text.
    const equal = await client.query(`update clients set custom_fields = '{ }' where id = $1 returning id`, [id]);
    expect(equal.rows).toEqual([{ id }]);
  });
  expect(head).toBe(2);
  expect(rows).toMatchObject([{ head: 2, revision: null, entity: null }]);
  expect(await imageOf(id)).toEqual(before);
});

test('version, updated_at and created_at belong to the database', async () => {
  const id = await makeClient(stage, company);
  const before = await imageOf(id);
  const assign = `version = 99, updated_at = '2001-01-01', created_at = '2001-01-01'`;
  expect(await run(`update clients set ${assign} where id = $1`, id)).toMatchObject({ head: 2, changes: [] });
  expect(await imageOf(id)).toEqual(before);
  await run(`update clients set notes = 'n', ${assign} where id = $1`, id);
  const after = await imageOf(id);
  expect(after).toMatchObject({ version: 2, created_at: before.created_at });
  expect(Date.parse(String(after.updated_at))).toBeGreaterThanOrEqual(Date.parse(String(before.updated_at)));
});

test('an answer of end_write holds exactly what its own transaction logged, earlier and other companies’ left out', async () => {
  const other = await makeCompany(stage);
  await makeClient(stage, other);
  const first = await run(insertClient, company, randomUUID(), 'one');
  const second = await write(app, company, async (client) => {
    await client.query(insertClient, [company, randomUUID(), 'two']);
    await client.query('savepoint s');
    await client.query(insertClient, [company, randomUUID(), 'undone']);
    await client.query('rollback to s');
    await client.query(insertClient, [company, randomUUID(), 'three']);
  });
  expect(first.changes.map(({ revision, after }) => [revision, after?.name])).toEqual([[2, 'one']]);
  expect(second.changes.map(({ revision, after }) => [revision, after?.name])).toEqual([
    [3, 'two'],
    [4, 'three'],
  ]);
  expect(second).toMatchObject({ base: 2, head: 4 });
  expect(await headOf(stage, company)).toBe(4);
  const logged = await logOf(stage, company);
  expect(logged.slice(1)).toMatchObject([...first.changes, ...second.changes].map(({ head, epoch, ...row }) => row));
  const nothing = await run('select 1');
  expect(nothing.rows).toMatchObject([{ head: 4, revision: null, entity: null, before: null, after: null }]);
});

test('a sign-up is revisions 1 and 2 of its company', async () => {
  const auth = await stage.login('cp_auth');
  const [id, user] = [randomUUID(), randomUUID()];
  const person = { id: user, name: 'Ann', email: `${user}@example.com`, passwordHash: 'secret' };
  const session = { id: randomUUID(), refreshHash: '00ff', expiresAt: '2100-01-01T00:00:00Z' };
  const values = [{ id, name: 'Salon', currency: 'EUR', timeZone: 'UTC' }, person, session].map((each) =>
    JSON.stringify(each),
  );
  await auth.query('begin');
  await auth.query(`select app.sign_up($1, $2, $3, 'req_1')`, values);
  const { rows } = await auth.query<EndRow>('select * from app.end_write()');
  await auth.query('commit');
  const shown = rows.map(({ head, revision, entity, entity_id, actor }) => [head, revision, entity, entity_id, actor]);
  expect(shown).toEqual([
    [2, 1, 'company', id, `USER:${user}`],
    [2, 2, 'user', user, `USER:${user}`],
  ]);
  expect(JSON.stringify(rows)).not.toContain('secret');
});

test('a change of a company without a head is refused rather than lost', async () => {
  await stage.sql('delete from company_heads where company_id = $1', [company]);
  expect(await refusal(person.query(insertClient, [company, randomUUID(), 'x']))).toBe('CP404');
  expect(await stage.sql('select from clients where company_id = $1', [company])).toEqual([]);
});

test('an insert starts at version 1, now', async () => {
  const id = randomUUID();
  await run(
    `insert into clients (company_id, id, first_name, version, updated_at) values ($1, $2, 'x', 99, '2001-01-01')`,
    company,
    id,
  );
  const { version, updated_at } = await imageOf(id);
  expect(version).toBe(1);
  expect(Date.parse(String(updated_at))).toBeGreaterThan(Date.parse('2020-01-01'));
});
