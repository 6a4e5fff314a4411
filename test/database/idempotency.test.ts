import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  headOf,
  insertClient,
  logOf,
  makeCompany,
  openStage,
  refusal,
  type Stage,
  type Written,
  write,
} from './support.ts';

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

type Answer = {
  status: number;
  revision: number;
  entityId: string | null;
  result: unknown;
  image: { schemaVersion: number; entity: string; row: Record<string, unknown> } | null;
};
type Once = {
  client?: pg.Client;
  to?: string;
  actor?: string;
  route?: string;
  key?: string;
  /** The four bytes that name the secret of the fingerprint. */
  secret?: string;
  body?: string;
  id?: string;
  status?: number;
  entity?: string | null;
  result?: unknown;
  work?: (client: pg.Client) => Promise<unknown>;
};

/** A write with a key, as the API makes it. By default it adds the client `id` and stores 201 for it. */
async function once(order: Once = {}): Promise<{ written: Written } | { replay: Answer }> {
  const {
    client = app,
    to = company,
    actor = 'USER:1',
    route = '/clients',
    key = 'k',
    secret = 'abcd',
    body = 'b',
    status = 201,
  } = order;
  const { id = randomUUID(), entity = id, result = null } = order;
  const work = order.work ?? (() => client.query(insertClient, [to, id, 'Ann']));
  const claimed = async (): Promise<void> => {
    await client.query('select app.claim_key($1, $2, $3)', [route, key, Buffer.from(`${secret}${body}`)]);
    await work(client);
    const kept = [route, key, status, entity, JSON.stringify(result)];
    await client.query('select app.store_answer($1, $2, $3, $4, $5)', kept);
  };
  try {
    return { written: await write(client, to, claimed, { actor }) };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== 'CP200') throw error;
    // Postgres writes a detail to its log, and the answer holds a row.
    expect([error.detail, error.hint]).toEqual([undefined, undefined]);
    return { replay: JSON.parse(error.column ?? '') as Answer };
  }
}
const replayOf = async (order: Once = {}): Promise<Answer> => {
  const answer = await once(order);
  if ('written' in answer) throw new Error('written, not replayed');
  return answer.replay;
};
const isWritten = async (order: Once): Promise<boolean> => 'written' in (await once(order));
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

describe('the image of a replay', () => {
  const rename = (id: string, name: string) => (client: pg.Client) =>
    client.query('update clients set first_name = $2 where id = $1', [id, name]);

  test('is the state at its own revision, whatever happened since', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    await once({ key: 'again', id, status: 200, work: rename(id, 'Cy') });
    await stage.sql('delete from clients where id = $1', [id]);
    const seen = [
      await replayOf({ key: 'add', id }),
      await replayOf({ key: 'rename', id }),
      await replayOf({ key: 'again', id }),
    ];
    expect(
      seen.map(({ status, revision, image }) => [status, revision, image?.row.first_name, image?.row.version]),
    ).toEqual([
      [201, 2, 'Ann', 1],
      [200, 3, 'Bo', 2],
      [200, 4, 'Cy', 3],
    ]);
    const log = await logOf(stage, company);
    expect(seen.map(({ image }) => image?.row)).toEqual(log.slice(1, 4).map(({ after }) => after));
  });

  test('of a write that changed nothing is the state it found', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'other' });
    await once({ key: 'same', id, work: rename(id, 'Ann') });
    await stage.sql(`update clients set first_name = 'Bo' where id = $1`, [id]);
    expect(await replayOf({ key: 'same', id })).toMatchObject({
      revision: 3,
      image: { row: { first_name: 'Ann', version: 1 } },
    });
  });

  test('of a deletion is what was deleted', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    // Only the owner deletes clients; the key is stored as the application would have.
    await stage.sql('delete from clients where id = $1', [id]);
    await once({ key: 'gone', entity: id, work: () => app.query('select 1') });
    expect((await replayOf({ key: 'gone' })).image?.row).toMatchObject({ id, first_name: 'Ann' });
  });

  const trim = (revision: number) =>
    stage.sql('delete from changes where company_id = $1 and revision <= $2', [company, revision]);

  test('of a write that changed nothing outlives the trimmed log, whatever happens afterwards', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'same', id, status: 200, work: rename(id, 'Ann') });
    const before = await replayOf({ key: 'same', id });
    await trim(2);
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    await once({ key: 'other' });
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    expect(before.image?.row.first_name).toBe('Ann');
  });

  test('of a real change whose part of the log is gone is exact, or says that it is of today', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    const before = await replayOf({ key: 'add', id });
    await trim(2);
    expect(await replayOf({ key: 'add', id })).toEqual(before);
    await once({ key: 'again', id, status: 200, work: rename(id, 'Cy') });
    await trim(3);
    // Revision 3 might have been of anything: what it found is not known any more.
    const now = await replayOf({ key: 'add', id });
    expect([now.status, now.revision, now.entityId, now.image?.row.first_name]).toEqual([201, 4, id, 'Cy']);
  });

  test('is null where the answer names no entity, or one that the log does not know', async () => {
    await once({ key: 'none', entity: null, result: [1, 'two'] });
    expect(await replayOf({ key: 'none' })).toEqual({
      status: 201,
      revision: 2,
      entityId: null,
      result: [1, 'two'],
      image: null,
    });
    const stranger = randomUUID();
    await once({ key: 'stranger', entity: stranger });
    expect(await replayOf({ key: 'stranger' })).toMatchObject({ entityId: stranger, result: null, image: null });
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
