import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { headOf, makeCompany, openStage, refusal, type Stage, write } from '../support.ts';
import { keyedWrites } from './keyed-writes.ts';

// A key is claimed at the start of a write and its answer stored at the end: the write happens once, the answer is for all.

let stage: Stage;
let app: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});

const { once, replayOf, isWritten } = keyedWrites(() => ({ app, company }));
const clients = (): Promise<{ id: string }[]> => stage.sql('select id from clients where company_id = $1', [company]);

test('of 40 parallel writes with one key one happens, and all others carry its answer', async () => {
  const logins = await Promise.all(Array.from({ length: 40 }, () => stage.login()));
  const result = { duplicates: ['ü', 1, null] };
  const answers = await Promise.all(logins.map((client) => once({ client, result })));
  const written = answers.flatMap((each) => ('written' in each ? [each.written] : []));
  const replays = answers.flatMap((each) => ('replay' in each ? [each.replay] : []));
  expect([written.length, replays.length]).toEqual([1, 39]);
  const change = written[0]?.changes[0];
  const image = { schemaVersion: 1, entity: 'client', row: change?.after };
  const answer = { status: 201, revision: change?.revision, entityId: change?.entity_id, result, image };
  for (const replay of replays) expect(replay).toEqual(answer);
  expect(await clients()).toEqual([{ id: change?.entity_id }]);
  expect(await headOf(stage, company)).toBe(2);
});

test('another body with the same key is refused, and changes nothing', async () => {
  await once();
  expect(await refusal(once({ body: 'c' }))).toBe('CP422');
  expect(await refusal(once({ body: 'c', work: () => app.query('select 1') }))).toBe('CP422');
  expect(await clients()).toHaveLength(1);
  expect((await replayOf()).status).toBe(201);
});

test('a fingerprint of another secret cannot be compared, and counts as the same request', async () => {
  await once();
  expect((await replayOf({ secret: 'efgh', body: 'c' })).status).toBe(201);
  expect(await refusal(once({ body: 'c' }))).toBe('CP422');
  expect(await clients()).toHaveLength(1);
});

describe('a write that fails keeps nothing of its key', () => {
  test.each([
    ['a constraint', `insert into clients (company_id, id) values (app.company(), gen_random_uuid())`, '23514'],
    ['a refusal', `select app.refuse(true, 'erased')`, 'CP400'],
  ])('by %s', async (_, statement, code) => {
    expect(await refusal(once({ work: () => app.query(statement) }))).toBe(code);
    expect(await stage.sql('select from idempotency_keys where company_id = $1', [company])).toEqual([]);
    expect(await isWritten({ body: 'another' })).toBe(true);
  });

  test('by a mind that was changed', async () => {
    const no = new Error('no');
    await expect(once({ work: () => Promise.reject(no) })).rejects.toBe(no);
    expect(await isWritten({ body: 'another' })).toBe(true);
  });
});

test('a key is one company’s, one actor’s and one route’s', async () => {
  const elsewhere = await makeCompany(stage);
  expect(await isWritten({ body: '1' })).toBe(true);
  expect(await isWritten({ body: '2', to: elsewhere })).toBe(true);
  expect(await isWritten({ body: '3', actor: 'USER:2' })).toBe(true);
  expect(await isWritten({ body: '4', route: '/users' })).toBe(true);
  expect(await isWritten({ body: '5', key: 'K' })).toBe(true);
  const again = [
    { body: '1' },
    { body: '2', to: elsewhere },
    { body: '3', actor: 'USER:2' },
    { body: '4', route: '/users' },
  ];
  const revisions: number[] = [];
  for (const each of [...again, { body: '5', key: 'K' }]) revisions.push((await replayOf(each)).revision);
  expect(revisions).toEqual([2, 2, 3, 4, 5]);
});

test('a key is kept for a day; an expired one is claimed anew, by another body too', async () => {
  await once({ status: 201 });
  const lasts = `extract(epoch from expires_at - clock_timestamp())::float8 / 3600 as hours`;
  const hours = async (): Promise<number> => {
    const [row] = await stage.sql<{ hours: number }>(`select ${lasts} from idempotency_keys where company_id = $1`, [
      company,
    ]);
    return row?.hours ?? Number.NaN;
  };
  expect(await hours()).toBeCloseTo(24, 1);
  await stage.sql(`update idempotency_keys set expires_at = clock_timestamp() where company_id = $1`, [company]);
  const id = randomUUID();
  expect(await isWritten({ body: 'new', id, status: 202, result: 'fresh' })).toBe(true);
  expect(await hours()).toBeCloseTo(24, 1);
  expect(await replayOf({ body: 'new' })).toMatchObject({ status: 202, revision: 3, entityId: id, result: 'fresh' });
  expect(await refusal(once({ body: 'b' }))).toBe('CP422');
  expect(await clients()).toHaveLength(2);
});

test('an expired key that is claimed and fails again is as it was', async () => {
  await once();
  const keys = (): Promise<unknown[]> => stage.sql('select * from idempotency_keys where company_id = $1', [company]);
  await stage.sql(`update idempotency_keys set expires_at = clock_timestamp() where company_id = $1`, [company]);
  const before = await keys();
  expect(await refusal(once({ body: 'new', work: () => app.query('select 1 / 0') }))).toBe('22012');
  expect(await keys()).toEqual(before);
});

test('an answer is stored for a claim, once', async () => {
  const store = () => app.query(`select app.store_answer('/clients', 'k', 200, null, null)`);
  expect(await refusal(write(app, company, store))).toBe('CP002');
  expect(await refusal(once({ work: store }))).toBe('CP002');
  await once();
  expect(await refusal(write(app, company, store, { actor: 'USER:1' }))).toBe('CP002');
});
