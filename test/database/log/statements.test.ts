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
  outcome,
  type Stage,
  undone,
  type Written,
  write,
} from '../support.ts';

// How many revisions each kind of statement takes. Each test has a company of its own, whose revision 1 is itself.

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

/** What a change is, without its images: `2 UPDATE client`. */
const brief = ({ revision, operation, entity }: EndRow): string => `${revision} ${operation} ${entity}`;
const briefs = (rows: EndRow[]): string[] => rows.map(brief);

test('a statement over n rows takes n consecutive revisions, in the order of ids', async () => {
  const ids = Array.from({ length: 7 }, () => randomUUID());
  const { base, head, changes } = await run(
    `insert into clients (company_id, id, first_name) select $1, unnest($2::uuid[]), 'x'`,
    company,
    ids,
  );
  expect([base, head]).toEqual([1, 8]);
  expect(changes.map(({ revision, entity_id }) => [revision, entity_id])).toEqual(
    ids.toSorted().map((id, index) => [index + 2, id]),
  );
  const some = await run(
    `update clients set notes = 'n' where company_id = $1 and id = any($2)`,
    company,
    ids.slice(2),
  );
  expect(some.changes.map(({ revision }) => revision)).toEqual([9, 10, 11, 12, 13]);
});

test('an upsert logs what it changed and what it added, and nothing for the same row or DO NOTHING', async () => {
  const id = await makeClient(stage, company, 'old');
  const upsert = (name: string, ...ids: string[]) =>
    run(
      `insert into clients (company_id, id, first_name) select $1, unnest($2::uuid[]), $3
       on conflict (id) do update set first_name = excluded.first_name returning id`,
      company,
      ids,
      name,
    );
  const added = randomUUID();
  const both = await upsert('new', id, added);
  const about = both.changes.map(({ operation, entity_id }) => [operation, entity_id]).sort();
  expect(about).toEqual([
    ['INSERT', added],
    ['UPDATE', id],
  ]);
  expect(await upsert('new', id, added)).toMatchObject({ base: 4, head: 4, changes: [] });
  expect(await run(`${insertClient} on conflict do nothing`, company, id, 'z')).toMatchObject({ head: 4, changes: [] });
});

test('MERGE logs each of its branches once', async () => {
  const [kept, changed, gone, added] = [
    await makeClient(stage, company, 'kept'),
    await makeClient(stage, company, 'old'),
    await makeClient(stage, company, 'gone'),
    randomUUID(),
  ];
  const { changes } = await run(
    `merge into clients c using (values ($2::uuid, 'kept'), ($3, 'new'), ($4, ''), ($5, 'added')) v (id, name)
       on c.company_id = $1 and c.id = v.id
     when matched and v.name = '' then delete
     when matched then update set first_name = v.name
     when not matched then insert (company_id, id, first_name) values ($1, v.id, v.name)`,
    company,
    kept,
    changed,
    gone,
    added,
  );
  const about = changes.map(({ operation, entity_id }) => [operation, entity_id]).sort();
  expect(about).toEqual([
    ['DELETE', gone],
    ['INSERT', added],
    ['UPDATE', changed],
  ]);
  expect(changes.map(({ revision }) => revision)).toEqual([5, 6, 7]);
});

test('one statement may write two tables, or move a row by deleting and inserting it', async () => {
  const client = randomUUID();
  const two = await run(
    `with c as (insert into clients (company_id, id, first_name) values ($1, $2, 'x') returning id)
     insert into visits (company_id, id, client_id) select $1, gen_random_uuid(), c.id from c, generate_series(1, 2)`,
    company,
    client,
  );
  expect(briefs(two.changes)).toEqual(['2 INSERT client', '3 INSERT visit', '4 INSERT visit']);
  const moved = await run(
    `with gone as (delete from visits where company_id = $1 returning *)
     insert into visits (company_id, id, client_id, note) select company_id, id, client_id, 'again' from gone`,
    company,
  );
  expect(moved.changes.map(({ operation }) => operation)).toEqual(['DELETE', 'DELETE', 'INSERT', 'INSERT']);
});

test('a cascade is logged row by row with the rows it followed, each once', async () => {
  const clients = [await makeClient(stage, company), await makeClient(stage, company)];
  for (const client of [...clients, ...clients]) await run(insertVisit, company, randomUUID(), client, null);
  const { base, changes } = await run('delete from clients where company_id = $1', company);
  expect(changes.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6].map((n) => base + n));
  expect(changes.map(({ operation, entity }) => `${operation} ${entity}`).sort()).toEqual([
    ...Array(2).fill('DELETE client'),
    ...Array(4).fill('DELETE visit'),
  ]);
  expect(new Set(changes.map(({ entity_id }) => entity_id)).size).toBe(6);
});

test('a row written twice in one transaction takes a revision each time, and the images chain', async () => {
  const id = randomUUID();
  const { changes } = await write(app, company, async (client) => {
    await client.query(insertClient, [company, id, 'one']);
    await client.query(`update clients set first_name = 'two' where id = $1`, [id]);
    await client.query('delete from clients where id = $1', [id]);
    await client.query(insertClient, [company, id, 'three']);
  });
  expect(briefs(changes)).toEqual(['2 INSERT client', '3 UPDATE client', '4 DELETE client', '5 INSERT client']);
  const names = changes.map(({ before, after }) => [before?.first_name, after?.first_name]);
  expect(names).toEqual([
    [undefined, 'one'],
    ['one', 'two'],
    ['two', undefined],
    [undefined, 'three'],
  ]);
  expect(changes[2]?.before).toEqual(changes[1]?.after);
});

test('a statement over two companies gives each its own revisions', async () => {
  const other = await makeCompany(stage);
  const [mine, theirs] = [await makeClient(stage, company), await makeClient(stage, other)];
  await person.query(`update clients set first_name = 'Bo' where id in ($1, $2)`, [mine, theirs]);
  expect((await logOf(stage, company)).at(-1)).toMatchObject({ revision: 3, operation: 'UPDATE', entity_id: mine });
  expect((await logOf(stage, other)).at(-1)).toMatchObject({ revision: 3, operation: 'UPDATE', entity_id: theirs });
  expect([await headOf(stage, company), await headOf(stage, other)]).toEqual([3, 3]);
});

test('a row moved to another company leaves one log and enters the other', async () => {
  const other = await makeCompany(stage);
  const id = await makeClient(stage, company);
  await person.query('update clients set company_id = $2 where id = $1', [id, other]);
  const [left, entered] = [(await logOf(stage, company)).at(-1), (await logOf(stage, other)).at(-1)];
  expect(left).toMatchObject({ revision: 3, operation: 'DELETE', entity_id: id, after: null });
  expect(entered).toMatchObject({ revision: 2, operation: 'INSERT', entity_id: id, before: null });
  expect(entered?.after).toMatchObject({ company_id: other });
});

test('a row given another id is another entity', async () => {
  const [old, fresh] = [await makeClient(stage, company), randomUUID()];
  const { changes } = await run('update clients set id = $2 where id = $1', old, fresh);
  const about = changes.map(({ operation, entity_id }) => [operation, entity_id]).sort();
  expect(about).toEqual([
    ['DELETE', old],
    ['INSERT', fresh],
  ]);
});

// Row-level security does not stop it.
test.each(['clients', 'users', 'visits', 'companies', 'changes', 'company_heads', 'credentials'])(
  'TRUNCATE %s is refused, even to its owner',
  async (what) => {
    await undone(person, async () => {
      await person.query('begin');
      expect(await outcome(person.query(`truncate ${what} cascade`))).toBe('CP003');
    });
  },
);
test('not even its owner writes the log by hand', async () => {
  for (const statement of [
    'delete from changes',
    `update changes set actor = 'x'`,
    'update company_heads set revision = 0',
  ]) {
    expect(await outcome(person.query(statement))).toBe(0);
  }
  const forged = `insert into changes select company_id, revision + 1, entity, entity_id, operation, schema_version, before,
    after, actor, request_id, changed_at from changes where company_id = $1`;
  expect(await outcome(person.query(forged, [company]))).toBe('42501');
});
