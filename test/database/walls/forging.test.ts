import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { beginWrite, logOf, makeClient, makeCompany, openStage, outcome, type Stage } from '../support.ts';

// What the application's own login is refused although it has begun a write: the log is not its to write.

let stage: Stage;
let app: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  company = await makeCompany(stage);
  await makeClient(stage, company);
});
afterAll(() => stage.close());
beforeEach(async () => {
  await app.query('rollback');
  await beginWrite(app, company);
});

const forgeries = [
  `insert into changes select company_id, revision + 100, entity, entity_id, operation, 1, before, after, 'x', 'x', changed_at from changes`,
  `update changes set actor = 'somebody else'`,
  'delete from changes',
  'truncate changes',
  'select from changes for update',
  'update company_heads set revision = revision + 1',
  'update company_heads set epoch = gen_random_uuid()',
  'insert into company_heads (company_id) values (gen_random_uuid())',
  'delete from company_heads',
  'delete from clients',
  'truncate clients',
  `insert into companies (id, name, currency, time_zone) values (gen_random_uuid(), 'x', 'EUR', 'UTC')`,
  'select from credentials',
  'select from sessions',
  'select from app.tenant_tables',
];

const escapes = [
  'set role cp_owner',
  'set role cp_definer',
  'set role cp_jobs',
  'set role postgres',
  'set session authorization cp_owner',
  'set session_replication_role = replica',
  'alter role cp_app bypassrls',
  `alter role cp_app set app.company_id = '00000000-0000-0000-0000-000000000000'`,
  'alter table clients disable row level security',
  'alter table clients no force row level security',
  'alter table clients disable trigger all',
  'drop policy tenant on clients',
  'create policy more on clients using (true)',
  'drop trigger log_update on clients',
  'create trigger mine before update on clients for each row execute function app.touch()',
  'create table public.mine ()',
  'create temp table mine ()',
  'create schema mine',
  'create view public.mine as select 1',
  `create function app.company() returns uuid language sql as 'select null::uuid'`,
  `create or replace function app.company() returns uuid language sql as 'select null::uuid'`,
  `copy clients to program 'cat'`,
  `select pg_read_file('/etc/passwd')`,
];

const internals = [
  'log_insert()',
  'log_update()',
  'log_delete()',
  'make_head()',
  'touch()',
  'refuse_truncate()',
  `check_credential($$00000000-0000-0000-0000-000000000000$$, '{}')`,
  `open_session(gen_random_uuid(), gen_random_uuid(), '{}')`,
  `sign_up('{}', '{}', '{}', 'x')`,
  `sign_in(gen_random_uuid(), gen_random_uuid(), '{}', 'x')`,
  `find_credential('a@example.com')`,
  'moved_heads(null)',
  `secure_table('clients')`,
  'secure_tables()',
].map((call) => `select app.${call}`);

test.each([...forgeries, ...escapes, ...internals])('refused: %s', async (statement) => {
  expect(await outcome(app.query(statement))).toBe('42501');
});

test('rows behind the walls are not shown by switching row-level security off', async () => {
  await app.query('set local row_security = off');
  expect(await outcome(app.query('select from clients'))).toBe('42501');
});

test('none of this left a trace: the same login still reads its log, as it was', async () => {
  const { rows } = await app.query('select revision, actor from changes order by revision');
  expect(rows).toEqual([
    { revision: 1, actor: 'SQL:postgres' },
    { revision: 2, actor: 'SQL:postgres' },
  ]);
  expect(await logOf(stage, company)).toHaveLength(2);
});
