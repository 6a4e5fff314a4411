import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addVisits, insertClient, logOf, makeCompany, openStage, type Stage, type Written, write } from '../support.ts';

// The log is the table: whatever was written, by whom and in which order, replaying 1..n rebuilds every row.

const WRITERS = 3;
const SLOTS = 5;

let stage: Stage;
let writers: pg.Client[];
beforeAll(async () => {
  stage = await openStage();
  // Only for the right to delete.
  await addVisits(stage);
  writers = await Promise.all(Array.from({ length: WRITERS }, () => stage.login()));
});
afterAll(() => stage.close());

const operation = fc.record({
  kind: fc.constantFrom('insert', 'update', 'update', 'touch', 'delete', 'upsert', 'all'),
  slot: fc.nat({ max: SLOTS - 1 }),
  value: fc.constantFrom('a', 'b'),
});
type Operation = { kind: string; slot: number; value: string };

const transaction = fc.record({
  writer: fc.nat({ max: WRITERS - 1 }),
  operations: fc.array(operation, { maxLength: 6 }),
  end: fc.constantFrom('commit', 'commit', 'commit', 'rollback', 'fail'),
});
type Transaction = { writer: number; operations: Operation[]; end: string };
const history = fc.array(transaction, { minLength: 1, maxLength: 12 });

/** The ids of a run, in order, so that the order of slots is the order of ids. */
type Run = { company: string; ids: string[] };

async function newRun(): Promise<Run> {
  const ids = Array.from({ length: SLOTS }, () => randomUUID()).sort();
  return { company: await makeCompany(stage), ids };
}

function perform(client: pg.Client, { company, ids }: Run, { kind, slot, value }: Operation): Promise<unknown> {
  const id = ids[slot];
  switch (kind) {
    case 'insert':
      return client.query(`${insertClient} on conflict (id) do nothing`, [company, id, value]);
    case 'upsert':
      return client.query(`${insertClient} on conflict (id) do update set first_name = excluded.first_name`, [
        company,
        id,
        value,
      ]);
    case 'update':
      return client.query('update clients set first_name = $2 where id = $1', [id, value]);
    case 'touch':
      return client.query('update clients set updated_at = clock_timestamp(), version = 0 where id = $1', [id]);
    case 'delete':
      return client.query('delete from clients where id = $1', [id]);
    default:
      return client.query('update clients set first_name = $2 where company_id = $1', [company, value]);
  }
}

class ChangedItsMind extends Error {}

/** Runs one transaction to its end; null when it was to end without a commit. */
async function transact(run: Run, { writer, operations, end }: Transaction): Promise<Written | null> {
  const client = writers[writer] as pg.Client;
  const work = async (): Promise<void> => {
    for (const each of operations) await perform(client, run, each);
    if (end === 'fail') await client.query('select 1 / 0');
    if (end === 'rollback') throw new ChangedItsMind();
  };
  try {
    return await write(client, run.company, work);
  } catch (error) {
    const meant = error instanceof ChangedItsMind || (error instanceof pg.DatabaseError && error.code === '22012');
    if (!meant) throw error;
    return null;
  }
}

type Model = Map<number, { value: string; version: number }>;

/** What the model says an operation logs: `UPDATE 3 a1→b2`, value and version before and after. */
function expected(model: Model, { kind, slot, value }: Operation): string[] {
  const shown = (each: { value: string; version: number } | undefined): string =>
    each === undefined ? '' : `${each.value}${each.version}`;
  const put = (at: number): string[] => {
    const old = model.get(at);
    if (old?.value === value) return [];
    const now = { value, version: (old?.version ?? 0) + 1 };
    model.set(at, now);
    return [`${old === undefined ? 'INSERT' : 'UPDATE'} ${at} ${shown(old)}→${shown(now)}`];
  };
  const old = model.get(slot);
  if (kind === 'all') return [...model.keys()].sort().flatMap(put);
  if (kind === 'delete' && model.delete(slot)) return [`DELETE ${slot} ${shown(old)}→`];
  if (kind === 'upsert' || (kind === 'insert' && old === undefined) || (kind === 'update' && old !== undefined))
    return put(slot);
  return [];
}

/** What was logged, in the model's words. */
function logged({ ids }: Run, written: Written): string[] {
  const shown = (image: Record<string, unknown> | null): string =>
    image === null ? '' : `${image.first_name}${image.version}`;
  return written.changes.map(
    ({ operation, entity_id, before, after }) =>
      `${operation} ${ids.indexOf(entity_id)} ${shown(before)}→${shown(after)}`,
  );
}

/** Replays the log from 1; every image of before must be the row as the revisions so far have made it. */
async function expectReplayed({ company }: Run): Promise<void> {
  const rows = new Map<string, unknown>();
  for (const [index, { revision, entity, entity_id, before, after }] of (await logOf(stage, company)).entries()) {
    expect(revision).toBe(index + 1);
    if (entity !== 'client') continue;
    expect(before).toEqual(rows.get(entity_id) ?? null);
    if (after === null) rows.delete(entity_id);
    else rows.set(entity_id, after);
  }
  const stored = await stage.sql<{ id: string; image: unknown }>(
    `select id, to_jsonb(c) - 'search_text' image from clients c where company_id = $1`,
    [company],
  );
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(stored.map(({ id, image }) => [id, image])));
}

test('one after another, writers log exactly what a model of the table says', async () => {
  const property = fc.asyncProperty(history, async (transactions) => {
    const run = await newRun();
    let model: Model = new Map();
    let head = 1;
    for (const each of transactions) {
      const next: Model = new Map(model);
      const said = each.operations.flatMap((one) => expected(next, one));
      const written = await transact(run, each);
      expect(written === null).toBe(each.end !== 'commit');
      if (written === null) continue;
      expect(logged(run, written)).toEqual(said);
      expect(written.base).toBe(head);
      head += said.length;
      expect(written.head).toBe(head);
      model = next;
    }
    await expectReplayed(run);
  });
  await fc.assert(property, { numRuns: 30 });
});

test('side by side, they still leave a log that rebuilds the table', async () => {
  const property = fc.asyncProperty(history, async (transactions) => {
    const run = await newRun();
    const lanes = writers.map(async (_, writer) => {
      for (const each of transactions.filter((one) => one.writer === writer)) await transact(run, each);
    });
    await Promise.all(lanes);
    await expectReplayed(run);
  });
  await fc.assert(property, { numRuns: 15 });
});

// No foreign key of the schema acts so yet.
test('a row that one statement’s cascades rewrite twice leaves images that chain', async () => {
  await stage.sql(
    `create table bookings (company_id uuid not null, id uuid primary key, version int not null default 1,
       created_at timestamptz not null default now(), updated_at timestamptz not null default now(), a uuid, b uuid,
       foreign key (company_id, a) references clients (company_id, id) on delete set null (a),
       foreign key (company_id, b) references clients (company_id, id) on delete set null (b));
     insert into app.tenant_tables (table_name, entity, grants) values ('bookings', 'booking', 'select, insert, update');
     select app.secure_tables()`,
    [],
    'cp_owner',
  );
  const run = await newRun();
  const [a, b] = run.ids;
  const client = writers[0] as pg.Client;
  const { changes } = await write(client, run.company, async () => {
    for (const id of [a, b]) await client.query(insertClient, [run.company, id, 'x']);
    await client.query('insert into bookings (company_id, id, a, b) values ($1, gen_random_uuid(), $2, $3)', [
      run.company,
      a,
      b,
    ]);
    await client.query('delete from clients where company_id = $1', [run.company]);
  });
  const images = changes.filter(({ entity }) => entity === 'booking').map(({ before, after }) => [before, after]);
  for (const [index, [before]] of images.entries()) expect(before).toEqual(images[index - 1]?.[1] ?? null);
});
