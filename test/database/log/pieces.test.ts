import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { type Change, changesAfter, commit, readChange, snapshot } from '../../../src/data/log.ts';
import { addFatClients } from '../../support/fat.ts';
import { connect, makeClient, makeCompany, openStage, type Stage } from '../support.ts';

// What is read of the log is bounded in bytes: an image may have hundreds of kilobytes.

let stage: Stage;
let company: string;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});

type Narrowed = Parameters<typeof changesAfter>[2];

async function piece(after: number, limit: number, narrowed: Narrowed = {}): Promise<Change[]> {
  const ctx = makeCtx('req_1', () => undefined);
  const call = { database: connect(stage, 'read'), companyId: company, name: 'test.look' };
  const { rows } = await snapshot(ctx, call, [changesAfter(after, limit, narrowed)]);
  return rows[0].map(readChange);
}

test('a piece of the log ends where its bytes do, and the walk goes on behind it', async () => {
  await addFatClients(stage, company, 45);
  await stage.sql(`update clients set notes = 'changed' where company_id = $1`, [company], 'cp_owner');
  stage.neon.forgetLargest();
  const walked: number[] = [];
  let pieces = 0;
  for (let after = 0; ; pieces += 1) {
    const changes = await piece(after, 500);
    const last = changes.at(-1);
    if (last === undefined) break;
    walked.push(...changes.map(({ revision }) => revision));
    after = last.revision;
  }
  expect(walked).toEqual(Array.from({ length: 91 }, (_, at) => at + 1));
  expect(pieces).toBeGreaterThan(4);
  expect(stage.neon.counts().largestAnswer).toBeLessThan(4 * 1024 * 1024);
});

test('what is larger than a piece comes alone', async () => {
  const id = await makeClient(stage, company);
  await stage.sql(`update clients set notes = repeat('n', 3000000) where id = $1`, [id], 'cp_owner');
  await makeClient(stage, company);
  expect((await piece(1, 500)).map(({ revision }) => revision)).toEqual([2]);
  expect((await piece(2, 500)).map(({ revision }) => revision)).toEqual([3]);
  expect((await piece(3, 500)).map(({ revision, after }) => [revision, after?.first_name])).toEqual([[4, 'Ann']]);
});

test('can be narrowed to entities and to one object, whose limit counts nothing else', async () => {
  const ids = [await makeClient(stage, company), await makeClient(stage, company)];
  await stage.sql(`update clients set notes = 'x' where company_id = $1`, [company], 'cp_owner');
  const of = async (narrowed: Narrowed, limit = 500): Promise<number[]> =>
    (await piece(0, limit, narrowed)).map(({ revision }) => revision);
  expect(await of({ entities: ['company'] })).toEqual([1]);
  expect(await of({ entities: ['client'] }, 3)).toEqual([2, 3, 4]);
  expect(await of({ entities: [] })).toEqual([]);
  expect(await of({ entityId: ids[0] ?? '' }, 1)).toEqual([2]);
  expect(await of({ entityId: ids[1] ?? '', entities: ['company'] })).toEqual([]);
});

test('a write that logs more than fits answers its head and the beginning', async () => {
  await addFatClients(stage, company, 30);
  const fields = JSON.stringify({ id: randomUUID(), first_name: 'Last' });
  const committed = await commit(
    makeCtx('req_1', () => undefined),
    {
      database: connect(stage, 'write'),
      companyId: company,
      name: 'test.put',
      writer: { actor: 'SYSTEM', credential: { system: true } },
    },
    [
      sql`update clients set notes = 'changed' where company_id = ${company}::uuid`,
      sql`select app.insert_rows('clients', ${`[${fields}]`}::jsonb)`,
    ],
  );
  expect([committed.base, committed.head]).toEqual([31, 62]);
  expect(committed.changes.length).toBeGreaterThan(5);
  expect(committed.changes.length).toBeLessThan(12);
  expect(committed.changes.map(({ revision }) => revision)).toEqual(committed.changes.map((_, at) => 32 + at));
});
