import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, outcome, type Stage, undone } from '../support.ts';
import { breaches, tenantTables } from './check.ts';

// The walls between tenants as the catalogue has them. A new table is covered by being there.

let stage: Stage;
let owner: pg.Client;
beforeAll(async () => {
  stage = await openStage();
  owner = await stage.console();
});
afterAll(() => stage.close());

/** Runs `statement` as the owner, looks at the walls, and takes it back. */
const breachesAfter = (...statements: string[]): Promise<string[]> =>
  undone(owner, async () => {
    await owner.query('begin');
    for (const statement of statements) await owner.query(statement);
    return breaches(owner);
  });

test('every table with rows of a company is walled in, and has the registered grants and log', async () => {
  const tables = await tenantTables(owner);
  expect(tables).toEqual(
    expect.arrayContaining(['changes', 'clients', 'companies', 'company_heads', 'credentials', 'idempotency_keys']),
  );
  const named = await stage.sql<{ name: string }>(
    `select table_name::text as name from information_schema.columns where table_schema = 'public' and column_name = 'company_id'`,
  );
  expect(tables).toEqual(expect.arrayContaining(named.map(({ name }) => name)));
  expect(await breaches(owner)).toEqual([]);
});

const sabotages: [statement: string, found: string[]][] = [
  ['alter table clients disable row level security', ['clients has row security forced']],
  ['alter table sessions no force row level security', ['sessions has row security enabled']],
  ['drop policy tenant on clients', ['clients lacks tenant']],
  ['alter policy tenant on clients using (true)', ['clients lacks tenant', 'clients has tenant']],
  ['drop policy definer on changes', ['changes lacks definer']],
  ['grant select on credentials to cp_app', ['credentials has cp_app SELECT']],
  ['grant delete on clients to cp_app', ['clients has cp_app DELETE']],
  ['revoke update on clients from cp_app', ['clients lacks cp_app UPDATE']],
  ['grant select (name) on users to cp_auth', ['users has cp_auth SELECT name']],
  ['grant select on clients to public', ['clients has PUBLIC SELECT']],
  ['grant insert on changes to cp_jobs', ['changes has cp_jobs INSERT']],
  ['alter table clients disable trigger log_update', ['clients lacks CREATE TRIGGER log_update']],
  ['drop trigger log_delete on users', ['users lacks CREATE TRIGGER log_delete']],
  ['drop trigger touch on companies', ['companies lacks CREATE TRIGGER touch']],
  ['drop trigger refuse_truncate on changes', ['changes lacks CREATE TRIGGER refuse_truncate']],
  [
    `drop policy owner on changes; create policy owner on changes to cp_owner using (true) with check (true)`,
    ['changes lacks owner', 'changes has owner'],
  ],
];

test.each(sabotages)('%s: is noticed, and mended by the migrator', async (statement, found) => {
  const noticed = await breachesAfter(statement);
  expect(noticed.map((line, index) => line.slice(0, found[index]?.length))).toEqual(found);
  expect(await breachesAfter(statement, 'select app.secure_tables()')).toEqual([]);
});

test('a policy beside the three is noticed', async () => {
  const statement = 'create policy more on clients for select to cp_app using (true)';
  expect(await breachesAfter(statement)).toEqual([
    'clients has more PERMISSIVE for SELECT to {cp_app} using true check',
  ]);
});

test('a table that a migration forgot is noticed, and walled in by the migrator without a right for the application', async () => {
  const app = await stage.login();
  const rights = async (): Promise<(string | number)[]> => {
    const statements = ['select * from notes', 'insert into notes default values', 'delete from notes'];
    const answers: (string | number)[] = [];
    for (const statement of statements) answers.push(await outcome(app.query(statement)));
    return answers;
  };
  await owner.query('create table notes (company_id uuid not null, text text)');
  try {
    const before = await breaches(owner);
    expect(before.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'notes lacks definer',
      'notes lacks owner',
      'notes lacks tenant',
      'notes lacks CREATE',
      'notes has row',
    ]);
    expect(await rights()).toEqual(['42501', '42501', '42501']);
    await owner.query('select app.secure_tables()');
    expect(await breaches(owner)).toEqual([]);
    expect(await rights()).toEqual(['42501', '42501', '42501']);
    await owner.query(`insert into app.tenant_tables (table_name, grants) values ('notes', 'select')`);
    expect(await breaches(owner)).toEqual(['notes lacks cp_app SELECT']);
    await owner.query('select app.secure_tables()');
    expect(await breaches(owner)).toEqual([]);
    expect(await rights()).not.toEqual(['42501', '42501', '42501']);
  } finally {
    await owner.query(`delete from app.tenant_tables where table_name = 'notes'::regclass`);
    await owner.query('drop table notes');
  }
});

test('securing the tables again changes nothing', async () => {
  const describe = `select tablename, policyname, roles, cmd, qual, with_check from pg_policies order by 1, 2`;
  const before = await stage.sql(describe);
  await owner.query('select app.secure_tables()');
  expect(await stage.sql(describe)).toEqual(before);
  expect(await breaches(owner)).toEqual([]);
});
