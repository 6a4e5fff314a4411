import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { beginRead, beginWrite, makeClient, makeCompany, openStage, outcome, type Stage, undone } from '../support.ts';
import { type Planted, plantRows } from './rows.ts';

// The walls from inside: what a login gets to see and change of a company that is not its transaction's.

const REFUSED = '42501';

let stage: Stage;
let app: pg.Client;
let ours: string;
let theirs: string;
let tables: Planted[];
beforeAll(async () => {
  stage = await openStage();
  [app, ours, theirs] = await Promise.all([stage.login(), makeCompany(stage), makeCompany(stage)]);
  tables = await plantRows(stage, [ours, theirs]);
});
afterAll(() => stage.close());
beforeEach(() => app.query('rollback'));

/** Tries a statement inside the open transaction, which it leaves as it was. */
async function attempt(client: pg.Client, text: string, values: unknown[] = []): Promise<string | number> {
  await client.query('savepoint attempt');
  try {
    return await outcome(client.query(text, values));
  } finally {
    await client.query('rollback to attempt');
  }
}

/** Attempts on every table; `say` names the statement for one. Answers the outcomes by table. */
async function onEach(
  client: pg.Client,
  say: (table: Planted) => [text: string, ...values: unknown[]],
): Promise<Record<string, string | number>> {
  const outcomes: Record<string, string | number> = {};
  for (const table of tables) {
    const [text, ...values] = say(table);
    outcomes[table.name] = await attempt(client, text, values);
  }
  return outcomes;
}

/** What `onEach` should answer: `may` where the registration grants the privilege, refusal elsewhere. */
const wherever = (privilege: string, may: unknown): Record<string, unknown> =>
  Object.fromEntries(tables.map(({ name, grants }) => [name, grants.includes(privilege) ? may : REFUSED]));

/** A copy of the other company's row as it would be written: refused before any constraint could speak. */
const copyRow = ({ name, column, columns }: Planted, company: string): [string, ...unknown[]] => [
  `insert into ${name} (${columns}) select ${columns.map((each) => (each === column ? '$1::uuid' : `r.${each}`))}
   from jsonb_populate_record(null::${name}, $2) r`,
  company,
  rowsOf.get(name),
];
const rowsOf = new Map<string, unknown>();
beforeAll(async () => {
  for (const { name, column } of tables) {
    const [row] = await stage.sql(`select to_jsonb(t) as row from ${name} t where ${column} = $1`, [theirs]);
    rowsOf.set(name, JSON.stringify(row?.row));
  }
});

test('the tables are planted: each has rows of both companies, and ours are seen where that is granted', async () => {
  expect(tables.length).toBeGreaterThan(8);
  await beginWrite(app, ours);
  expect(await onEach(app, ({ name }) => [`select from ${name} limit 1`])).toEqual(wherever('select', 1));
});

test('another company’s rows are neither read, changed nor deleted, and none is written', async () => {
  await beginWrite(app, ours);
  const theirRows = ({ column }: Planted): string => `where ${column} = '${theirs}'`;
  expect(await onEach(app, (table) => [`select from ${table.name} ${theirRows(table)}`])).toEqual(
    wherever('select', 0),
  );
  const update = (table: Planted): string => `update ${table.name} set ${table.column} = ${table.column}`;
  expect(await onEach(app, (table) => [`${update(table)} ${theirRows(table)}`])).toEqual(wherever('update', 0));
  expect(await onEach(app, (table) => [`delete from ${table.name} ${theirRows(table)}`])).toEqual(
    wherever('delete', 0),
  );
  expect(await onEach(app, (table) => copyRow(table, theirs))).toEqual(wherever('insert', REFUSED));
  const give = ({ name, column }: Planted): [string] => [`update ${name} set ${column} = '${theirs}'`];
  expect(await onEach(app, give)).toEqual(wherever('update', REFUSED));
});

test('a reader sees no row of another company either', async () => {
  const { revision } = await beginRead(app, ours);
  expect(revision).toBeGreaterThan(0);
  const say = ({ name, column }: Planted): [string] => [`select from ${name} where ${column} <> '${ours}'`];
  expect(await onEach(app, say)).toEqual(wherever('select', 0));
});

test.each(['new', 'used'])('on a %s session, no company is an error and never an empty result', async (kind) => {
  const client = await stage.login();
  if (kind === 'used') await undone(client, () => beginWrite(client, ours));
  await client.query('begin');
  const error = kind === 'new' ? '42704' : '22P02';
  expect(await onEach(client, ({ name }) => [`select from ${name}`])).toEqual(wherever('select', error));
  const mine = ({ name, column }: Planted): [string] => [`select from ${name} where ${column} = '${ours}'`];
  expect(await onEach(client, mine)).toEqual(wherever('select', error));
  const update = ({ name, column }: Planted): [string] => [`update ${name} set ${column} = ${column}`];
  expect(await onEach(client, update)).toEqual(wherever('update', error));
  expect(await onEach(client, (table) => copyRow(table, ours))).toEqual(wherever('insert', error));
  expect(await onEach(client, ({ name }) => [`delete from ${name}`])).toEqual(wherever('delete', error));
  await client.query('rollback');
});

test.each(['cp_auth', 'cp_jobs'] as const)('%s has no table, but the heads for the sweep', async (role) => {
  const client = await stage.login(role);
  await client.query('begin');
  const none = Object.fromEntries(tables.map(({ name }) => [name, REFUSED]));
  const heads = role === 'cp_jobs' ? { company_heads: 2 } : {};
  expect(await onEach(client, ({ name }) => [`select from ${name}`])).toEqual({ ...none, ...heads });
  expect(await onEach(client, ({ name, column }) => [`update ${name} set ${column} = ${column}`])).toEqual(none);
  expect(await onEach(client, ({ name }) => [`delete from ${name}`])).toEqual(none);
  expect(await onEach(client, (table) => copyRow(table, ours))).toEqual(none);
  await client.query('rollback');
});

test('a reference to another company’s row is refused, whoever makes it', async () => {
  // A company's own row is no other company's; what it pairs besides is the same for both here.
  const keys = await stage.sql<{ child: string; parent: string; pairs: string; company: string; matched: string }>(
    `select conrelid::regclass::text child, confrelid::regclass::text parent,
       (select string_agg(format('%I = (select %I from %s p where p.company_id = $2 limit 1)', o.attname, r.attname, confrelid::regclass), ', ')
        from unnest(conkey, confkey) k(own, other) join pg_attribute o on o.attrelid = conrelid and o.attnum = k.own
        join pg_attribute r on r.attrelid = confrelid and r.attnum = k.other where o.attname <> 'company_id') pairs
     from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and cardinality(conkey) > 1
       and confrelid <> 'companies'::regclass`,
  );
  expect(keys.length).toBeGreaterThan(3);
  // Tables have rules of their own that refuse earlier: only the keys count here.
  const admin = await stage.console();
  const outcomes: string[] = [];
  for (const { child, pairs } of keys) {
    await undone(admin, async () => {
      await admin.query(`begin; set local role cp_owner; alter table ${child} disable trigger user`);
      const work = admin.query(`update ${child} set ${pairs} where company_id = $1`, [ours, theirs]);
      outcomes.push(String(await outcome(work)));
    });
  }
  expect(outcomes).toEqual(keys.map(() => '23503'));
  const [own, foreign] = [await makeClient(stage, ours), await makeClient(stage, theirs)];
  await beginWrite(app, ours);
  const merge = 'update clients set merged_into = $2 where id = $1';
  expect(await attempt(app, merge, [own, foreign])).toBe('23503');
  expect(await attempt(app, merge, [own, randomUUID()])).toBe('23503');
});

test('what runs as cp_definer for the application tells of one company only', async () => {
  const add = `insert into clients (company_id, id, first_name, email, phone) values ($1, gen_random_uuid(), 'Xaver', 'x@example.com', '+4312345')`;
  for (const company of [ours, theirs, theirs]) await stage.sql(add, [company]);
  await beginRead(app, ours);
  const { rows } = await app.query(
    `select (select count(*)::int from app.match_clients('Xaver')) as matched, app.count_clients('Xaver', '{}', null) as counted,
       (select count(*)::int from app.search_clients('Xaver', '{}', null, null, false, 0, 10)) as found,
       jsonb_array_length(app.client_duplicates(gen_random_uuid(), 'x@example.com', null)) as same_email,
       jsonb_array_length(app.client_duplicates(gen_random_uuid(), null, '+4312345')) as same_phone`,
  );
  expect(rows).toEqual([{ matched: 1, counted: 1, found: 1, same_email: 1, same_phone: 1 }]);
});

test('a company set after begin_write lets nothing be written to its log', async () => {
  const [own, foreign] = [await makeClient(stage, ours), await makeClient(stage, theirs)];
  await beginWrite(app, ours);
  const rename = `update clients set first_name = 'Eve' where id = $1`;
  await app.query(`select set_config('app.company_id', $1, true)`, [theirs]);
  expect(await attempt(app, rename, [foreign])).toBe('CP002');
  const add = 'insert into clients (company_id, id, first_name) values ($1, gen_random_uuid(), $2)';
  expect(await attempt(app, add, [theirs, 'Eve'])).toBe('CP002');
  await app.query(`select set_config('app.company_id', $1, true), set_config('app.write_company', $2, true)`, [
    ours,
    theirs,
  ]);
  expect(await attempt(app, rename, [own])).toBe('CP002');
  await app.query('commit');
  const names = await stage.sql('select first_name from clients where id in ($1, $2)', [own, foreign]);
  expect(names).toEqual([{ first_name: 'Ann' }, { first_name: 'Ann' }]);
});
