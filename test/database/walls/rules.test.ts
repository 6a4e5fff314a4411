import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, type Stage, undone } from '../support.ts';

// Rules that every table, function and role must keep, as queries that list who breaks them: an empty list is a pass.
// Each rule is broken once, in a transaction that is undone, to see that its query can find anything.

let stage: Stage;
let owner: pg.Client;
beforeAll(async () => {
  stage = await openStage();
  owner = await stage.console();
});
afterAll(() => stage.close());

const tenantTable = `exists (select from app.tenant_tables t where t.table_name = %s) or exists (
  select from pg_attribute a where a.attrelid = %s and a.attname = 'company_id' and not a.attisdropped)`;
const isTenants = (oid: string): string => `(${tenantTable.replaceAll('%s', oid)})`;
const companyColumn = (oid: string): string => `(select a.attnum from pg_attribute a where a.attrelid = ${oid}
  and a.attname = coalesce((select company_column from app.tenant_tables where table_name = ${oid}), 'company_id'))`;
const ours = `p.pronamespace in ('app'::regnamespace, 'public'::regnamespace)
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;
const newTable = `create table notes (company_id uuid not null, id uuid primary key, version int not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(), client_id uuid, text text`;
const register = `insert into app.tenant_tables (table_name, entity`;

type Rule = { rule: string; broken: string; by: string };
const rules: Rule[] = [
  {
    rule: 'a foreign key between tables of a company pairs their company columns',
    broken: `select c.conrelid::regclass::text || '.' || c.conname as name from pg_constraint c
      where c.contype = 'f' and ${isTenants('c.conrelid')} and ${isTenants('c.confrelid')} and not exists (
        select from unnest(c.conkey, c.confkey) k(own, other)
        where k.own = ${companyColumn('c.conrelid')} and k.other = ${companyColumn('c.confrelid')})`,
    by: `${newTable}, foreign key (client_id) references clients (id))`,
  },
  {
    // The log pairs the old and new rows of a statement by id: a row rewritten twice within one would be logged wrongly.
    rule: 'no foreign key of a logged table rewrites its rows behind a statement',
    broken: `select c.conrelid::regclass::text || '.' || c.conname as name from pg_constraint c
      join app.tenant_tables t on t.table_name = c.conrelid and t.entity is not null
      where c.contype = 'f' and (c.confdeltype in ('n', 'd') or c.confupdtype in ('c', 'n', 'd'))`,
    by: `${newTable}, foreign key (company_id, client_id) references clients (company_id, id) on delete set null (client_id));
      ${register}) values ('notes', 'note')`,
  },
  {
    rule: 'a logged table has what its triggers need',
    broken: `select t.table_name::text || '.' || needed as name from app.tenant_tables t,
        unnest(array[t.company_column, 'id', 'version', 'created_at', 'updated_at']) needed
      where t.entity is not null and not exists (select from pg_attribute a
        where a.attrelid = t.table_name and a.attname = needed and a.attnotnull and not a.attisdropped)`,
    by: `${newTable}); alter table notes drop column version; ${register}) values ('notes', 'note')`,
  },
  {
    // Virtual ones, the default, are null in transition tables.
    rule: 'a generated column of a logged table is stored',
    broken: `select a.attrelid::regclass::text || '.' || a.attname as name from pg_attribute a
      join app.tenant_tables t on t.table_name = a.attrelid and t.entity is not null where a.attgenerated = 'v'`,
    by: `${newTable}, twice text generated always as (text || text)); ${register}) values ('notes', 'note')`,
  },
  {
    // Another column would change version and updated_at without a revision. Secrets have tables of their own.
    rule: 'a column hidden from the log follows from shown ones',
    broken: `select t.table_name::text || '.' || h as name from app.tenant_tables t, unnest(t.hidden) h
      where not exists (select from pg_attribute a where a.attrelid = t.table_name and a.attname = h and a.attgenerated = 's')`,
    by: `${newTable}); ${register}, hidden) values ('notes', 'note', '{text}')`,
  },
  {
    // A view runs with the rights of its owner, who sees all companies.
    rule: 'a view asks as its reader',
    broken: `select c.oid::regclass::text as name from pg_class c where c.relnamespace in ('public'::regnamespace, 'app'::regnamespace)
      and (c.relkind = 'm' or c.relkind = 'v' and not coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on}')`,
    by: 'create view everyone as select * from clients',
  },
  {
    rule: 'a SECURITY DEFINER function has a fixed search_path and belongs to cp_definer',
    broken: `select p.oid::regprocedure::text as name from pg_proc p where p.prosecdef and ${ours}
      and (p.proowner <> 'cp_definer'::regrole or not exists (select from unnest(p.proconfig) c where c = 'search_path=""'))`,
    by: 'create function app.leak() returns bigint language sql security definer as $$ select count(*) from public.clients $$',
  },
  {
    // Row-level security does not narrow what cp_definer sees; begin_write is where the company is said.
    rule: 'a function that runs as cp_definer for the application asks which company',
    broken: `select p.oid::regprocedure::text as name from pg_proc p where p.prosecdef and ${ours}
      and has_function_privilege('cp_app', p.oid, 'execute') and p.proname <> 'begin_write' and p.prosrc !~ 'app\\.company\\(\\)'`,
    by: `create function app.leak() returns bigint language sql security definer as $$ select count(*) from public.clients $$;
      grant execute on function app.leak() to cp_app`,
  },
  {
    rule: 'no function is for PUBLIC to execute',
    broken: `select p.oid::regprocedure::text as name from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where ${ours} and a.grantee = 0`,
    by: 'grant execute on function app.claim_key(text, text, bytea) to public',
  },
  {
    rule: 'no function sets anything beyond its transaction',
    broken: `select p.oid::regprocedure::text as name from pg_proc p where ${ours}
      and p.prosrc ~* 'set_config\\s*\\([^;]*,\\s*(false|''f[a-z]*''|0::bool)'`,
    by: `create function app.leak() returns text language sql as $$ select set_config('app.company_id', 'x', false) $$`,
  },
  {
    // What clocks show is the same for everybody; the cron alone tells it, through a function.
    rule: 'no login has rights on a table that is not a tenant’s, but to read what is known of zones',
    broken: `select r.rolname || ' ' || c.oid::regclass as name from pg_class c, pg_roles r
      where r.rolname in ('cp_app', 'cp_auth', 'cp_jobs') and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and c.relnamespace in ('public'::regnamespace, 'app'::regnamespace) and not ${isTenants('c.oid')}
        and has_table_privilege(r.oid, c.oid, case when c.oid <> 'app.zones'::regclass then 'select,' else '' end
          || 'insert, update, delete, truncate, references, trigger, maintain')`,
    by: 'grant select on app.tenant_tables to cp_jobs',
  },
  {
    rule: 'no login makes anything in a schema',
    broken: `select r.rolname || ' ' || n.nspname as name from pg_namespace n, pg_roles r
      where r.rolname in ('cp_app', 'cp_auth', 'cp_jobs') and has_schema_privilege(r.oid, n.oid, 'create')`,
    by: 'grant create on schema app to cp_app',
  },
];

describe.each(rules)('$rule', ({ broken, by }) => {
  const breakers = async (): Promise<string[]> =>
    (await owner.query<{ name: string }>(broken)).rows.map(({ name }) => name);
  test('holds', async () => {
    expect(await breakers()).toEqual([]);
  });
  test('a breach is found', async () => {
    await undone(owner, async () => {
      await owner.query('begin');
      await owner.query(by);
      expect(await breakers()).toHaveLength(1);
    });
  });
});

test('no role of ours is above the walls, and no login may become another', async () => {
  const roles = await stage.sql(
    `select rolname::text as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as above,
       rolcanlogin as login, array(select roleid::regrole::text from pg_auth_members where member = r.oid) as member,
       (select count(*)::int from pg_class where relowner = r.oid) as owns
     from pg_roles r where rolname in ('cp_owner', 'cp_definer', 'cp_app', 'cp_auth', 'cp_jobs') order by 1`,
  );
  expect(roles).toEqual([
    { name: 'cp_app', above: false, login: true, member: [], owns: 0 },
    { name: 'cp_auth', above: false, login: true, member: [], owns: 0 },
    { name: 'cp_definer', above: false, login: false, member: [], owns: 0 },
    { name: 'cp_jobs', above: false, login: true, member: [], owns: 0 },
    { name: 'cp_owner', above: false, login: false, member: ['cp_definer'], owns: expect.any(Number) },
  ]);
});

// Pooled connections keep no settings of a session, so they hang on the role.
test.each(['cp_app', 'cp_auth', 'cp_jobs'] as const)(
  '%s works in UTC, gives up in time and has no tables of its own',
  async (role) => {
    const client = await stage.login(role);
    const { rows } = await client.query(
      `select array(select unnest(rolconfig) order by 1) as settings, current_setting('lock_timeout') as lock,
       has_database_privilege(current_database(), 'temp') as temp from pg_roles where rolname = current_user`,
    );
    const settings = [
      'idle_in_transaction_session_timeout=5s',
      'lock_timeout=5s',
      'log_error_verbosity=terse',
      'statement_timeout=10s',
      'TimeZone=UTC',
    ];
    expect(rows).toEqual([{ settings: expect.arrayContaining(settings), lock: '5s', temp: false }]);
  },
);

test('no source or migration sets anything beyond its transaction', async () => {
  const root = join(import.meta.dirname, '../../..');
  const found: string[] = [];
  for (const folder of ['src', 'migrations']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((each) => /\.(ts|sql)$/.test(each))) {
      const text = await readFile(join(root, folder, name), 'utf8');
      if (/set_config\s*\([^;`]*?,\s*false\s*\)|\bset\s+(session\s+)?app\./i.test(text)) found.push(name);
    }
  }
  expect(found).toEqual([]);
});
