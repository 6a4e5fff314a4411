import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginWrite, insertClient, makeClient, makeCompany, openStage, type Stage, undone, write } from '../support.ts';

// The sweep must find every head that moved since the last one, however long its transaction took.

let stage: Stage;
let jobs: pg.Client;
let companies: string[];
let empty: unknown[];
beforeAll(async () => {
  stage = await openStage();
  jobs = await stage.login('cp_jobs');
  empty = (await jobs.query('select * from app.moved_heads(null)')).rows;
  companies = [await makeCompany(stage), await makeCompany(stage), await makeCompany(stage)];
});
afterAll(() => stage.close());

type Head = { company_id: string | null; epoch: string; revision: number; next_since: number };
type Sweep = { moved: (string | null)[]; next: number; heads: Head[] };
async function sweep(since: number | null): Promise<Sweep> {
  const { rows } = await jobs.query<Head>('select * from app.moved_heads($1)', [since]);
  const found = rows.filter(({ company_id }) => company_id !== null);
  return {
    moved: found.map(({ company_id }) => company_id).sort(),
    next: rows[0]?.next_since ?? Number.NaN,
    heads: found,
  };
}

/**
 * Where a sweep begins that would find nothing. Heads that moved just before are found twice while anybody on the
 * server, in another database even, has an older transaction open; this waits for those.
 */
async function quiet(): Promise<number> {
  const limit = Date.now() + 60_000;
  while (Date.now() < limit) {
    const { next } = await sweep(null);
    if ((await sweep(next)).moved.length === 0) return next;
  }
  throw new Error('every sweep finds something');
}

/** A write that stays open. */
async function startWriting(company: string, client: pg.Client): Promise<void> {
  await beginWrite(client, company);
  await client.query(insertClient, [company, randomUUID(), 'x']);
}

const [A, B, C] = [0, 1, 2];
const id = (index: number): string => companies[index] ?? '';

test('where there is no company yet, a sweep still says where the next begins', () => {
  expect(empty).toEqual([{ company_id: null, epoch: null, revision: null, next_since: expect.any(Number) }]);
});

test('the first sweep finds every head, and a quiet one none', async () => {
  const first = await sweep(null);
  expect(first.moved).toEqual(companies.toSorted());
  expect(first.heads.map(({ revision }) => revision)).toEqual([1, 1, 1]);
  const next = await quiet();
  expect(next).toBeGreaterThanOrEqual(first.next);
  expect(await sweep(next)).toMatchObject({ moved: [], heads: [], next: expect.any(Number) });
});

test('exactly the heads that moved since are found, with epoch and revision', async () => {
  const next = await quiet();
  await makeClient(stage, id(B));
  const { moved, heads } = await sweep(next);
  expect(moved).toEqual([id(B)]);
  const [head] = await stage.sql('select epoch, revision::int from company_heads where company_id = $1', [id(B)]);
  expect(heads[0]).toMatchObject({ epoch: head?.epoch, revision: head?.revision });
});

test('what was rolled back or changed nothing moves no head', async () => {
  const next = await quiet();
  const client = await stage.login();
  await startWriting(id(A), client);
  await client.query('rollback');
  await write(client, id(B), () => client.query('update clients set notes = notes'));
  expect((await sweep(next)).moved).toEqual([]);
});

test('a transaction that stayed open across sweeps is found by the first one after its commit', async () => {
  let next = await quiet();
  const slow = await stage.login();
  await startWriting(id(A), slow);
  for (const _ of [1, 2, 3]) {
    await makeClient(stage, id(B));
    const during = await sweep(next);
    expect(during.moved).toContain(id(B));
    next = during.next;
  }
  await slow.query('commit');
  expect((await sweep(next)).moved).toContain(id(A));
});

test('a head that moved in a savepoint is found', async () => {
  const next = await quiet();
  const client = await stage.login();
  await write(client, id(C), async () => {
    await client.query('savepoint s');
    await client.query(insertClient, [id(C), randomUUID(), 'x']);
    await client.query('release s');
  });
  expect((await sweep(next)).moved).toEqual([id(C)]);
});

test('a database restored to before the last sweep has all its heads found', async () => {
  const next = await quiet();
  expect((await sweep(next + 1_000_000)).moved).toEqual(companies.toSorted());
});

test('a renewed epoch is a move', async () => {
  const next = await quiet();
  await stage.sql('update company_heads set epoch = uuidv7() where company_id = $1', [id(A)]);
  const { heads } = await sweep(next);
  const [head] = await stage.sql('select epoch from company_heads where company_id = $1', [id(A)]);
  expect(heads).toMatchObject([{ company_id: id(A), epoch: head?.epoch }]);
});
// between the two (to whoever is open during a sweep, or begins while it starts) shrink the window, and heads at its far
// end are lost for good. Here the snapshot is held while others come; in life a few open transactions are enough.
test('a head is found however many transactions begin meanwhile', async () => {
  const slow = await stage.login();
  await startWriting(id(A), slow);
  const { next } = await sweep(null);
  await slow.query('commit');
  await jobs.query('begin isolation level repeatable read; select from company_heads');
  await undone(jobs, async () => {
    await stage.sql(`do $$ begin create temp table numbers (n int);
      for n in 1..2000 loop begin insert into numbers values (n); exception when others then null; end; end loop; end $$`);
    expect((await sweep(next)).moved).toContain(id(A));
  });
});
