import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  beginRead,
  beginWrite,
  headOf,
  insertClient,
  makeClient,
  makeCompany,
  type Order,
  openStage,
  outcome,
  pidOf,
  readTransaction,
  refusal,
  type Stage,
  undone,
  untilBlocked,
  write,
} from '../support.ts';

// How a transaction begins, what it may rest on, and that nothing of it outlives it.

let stage: Stage;
let app: pg.Client;
let other: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  [app, other] = await Promise.all([stage.login(), stage.login()]);
});
afterAll(() => stage.close());
beforeEach(async () => {
  await app.query('rollback');
  await other.query('rollback');
  company = await makeCompany(stage);
});

const begunRead = (begin: string, id: string | null = company): Promise<string> =>
  undone(app, async () => {
    await app.query(begin);
    return (await refusal(app.query('select * from app.begin_read($1)', [id]))) ?? 'begun';
  });
const begunWrite = (order: Order, id: string = company): Promise<string> =>
  undone(app, async () => (await refusal(beginWrite(app, id, order))) ?? 'begun');

describe('begin_read', () => {
  test.each([
    [readTransaction, 'begun'],
    ['begin', 'CP001'],
    ['begin read only', 'CP001'],
    ['begin isolation level repeatable read', 'CP001'],
    ['begin isolation level serializable read only', 'CP001'],
  ])('after %s answers %s', async (begin, answer) => {
    expect(await begunRead(begin)).toBe(answer);
  });

  test('alone, in no transaction, is refused', async () => {
    expect(await outcome(app.query('select * from app.begin_read($1)', [company]))).toBe('CP001');
  });

  test('of a company that does not exist is refused', async () => {
    expect(await begunRead(readTransaction, randomUUID())).toBe('CP404');
    expect(await begunRead(readTransaction, null)).toBe('CP404');
  });

  test('answers the revision of the very snapshot that later statements see', async () => {
    await makeClient(stage, company, 'seen');
    const { epoch, revision } = await beginRead(app, company);
    await makeClient(stage, company, 'too late');
    const { rows } = await app.query('select first_name from clients');
    const [head] = await stage.sql('select epoch from company_heads where company_id = $1', [company]);
    expect({ epoch, revision, rows }).toEqual({ epoch: head?.epoch, revision: 2, rows: [{ first_name: 'seen' }] });
    expect(await headOf(stage, company)).toBe(3);
  });

  test('opens no way to write', async () => {
    await beginRead(app, company);
    expect(await outcome(app.query(insertClient, [company, randomUUID(), 'x']))).toBe('25006');
  });
});

describe('begin_write', () => {
  test.each([
    ['begin', 'begun'],
    ['begin isolation level repeatable read', 'CP001'],
    ['begin isolation level serializable', 'CP001'],
    ['begin read only', '25006'],
  ])('after %s answers %s', async (begin, answer) => {
    expect(await begunWrite({ begin })).toBe(answer);
  });

  test('needs an actor and a company that exists', async () => {
    expect(await begunWrite({ actor: '' })).toBe('CP001');
    expect(await begunWrite({ actor: null })).toBe('CP001');
    expect(await begunWrite({}, randomUUID())).toBe('CP404');
  });

  test('lets one write at a time into a company, and gives up after lock_timeout', async () => {
    await beginWrite(app, company);
    await other.query(`set lock_timeout = '20ms'`);
    try {
      expect(await refusal(beginWrite(other, company))).toBe('55P03');
      await other.query('rollback');
      // Another company is not kept waiting, nor is a reader of this one.
      await undone(other, async () => beginWrite(other, await makeCompany(stage)));
      await undone(other, async () => expect(await beginRead(other, company)).toMatchObject({ revision: 1 }));
    } finally {
      await other.query('reset lock_timeout');
    }
  });
});

describe('a write without begin_write', () => {
  const tries = (client: pg.Client): Promise<string | null> =>
    refusal(client.query(insertClient, [company, randomUUID(), 'x']));

  test('is refused on a new session, on a used one, and with a company set by hand', async () => {
    expect(await tries(await stage.login())).toBe('42704');
    await write(app, company, (client) => client.query(insertClient, [company, randomUUID(), 'x']));
    expect(await tries(app)).toBe('22P02');
    await app.query('begin');
    await app.query(`select set_config('app.company_id', $1, true)`, [company]);
    expect(await tries(app)).toBe('CP002');
  });

  test('is refused by end_write and by an idempotency key as well', async () => {
    expect(await outcome((await stage.login()).query('select * from app.end_write()'))).toBe('42704');
    await beginWrite(app, company);
    await app.query('commit');
    expect(await outcome(app.query('select * from app.end_write()'))).toBe('22P02');
    expect(await outcome(app.query(`select app.claim_key('r', 'k', 'f')`))).toBe('22P02');
  });
});

describe('nothing of a transaction stays on its session', () => {
  const settings = ['company_id', 'write_company', 'actor', 'request_id', 'base_revision'];
  const left = async (): Promise<string[]> => {
    const { rows } = await app.query(
      `select name from unnest($1::text[]) name where coalesce(current_setting('app.' || name, true), '') <> ''`,
      [settings],
    );
    return rows.map(({ name }) => name);
  };
  test.each(['commit', 'rollback', 'select 1 / 0'])('after %s', async (end) => {
    await beginWrite(app, company, { request: 'req_1' });
    expect(await left()).toEqual(settings);
    await app.query(end).catch(() => app.query('rollback'));
    expect(await left()).toEqual([]);
    expect(await outcome(app.query('select from companies'))).toBe('22P02');
  });

  test('nor does a reader’s company, or what a savepoint began', async () => {
    await beginRead(app, company);
    await app.query('commit');
    expect(await left()).toEqual([]);
    await app.query('begin; savepoint s');
    await app.query(`select * from app.begin_write($1, 'SYSTEM', null, '{"system": true}')`, [company]);
    await app.query('rollback to s');
    expect(await left()).toEqual([]);
  });
});

describe('a guard', () => {
  // Revisions 2 and 3 are clients, 4 touches the first again.
  let first: string;
  let second: string;
  beforeEach(async () => {
    first = await makeClient(stage, company);
    second = await makeClient(stage, company);
    await stage.sql(`update clients set notes = 'n' where id = $1`, [first]);
  });
  const guarded = (since: number, entities: Record<string, string[] | null>): Promise<string> =>
    begunWrite({ guard: { since, entities } });

  test('refuses exactly when what it names was touched after its revision', async () => {
    const stranger = randomUUID();
    expect(await guarded(4, { client: null })).toBe('begun');
    expect(await guarded(3, { client: null })).toBe('CP409');
    expect(await guarded(3, { client: [first] })).toBe('CP409');
    expect(await guarded(3, { client: [second] })).toBe('begun');
    expect(await guarded(2, { client: [second] })).toBe('CP409');
    expect(await guarded(2, { client: [stranger, second] })).toBe('CP409');
    expect(await guarded(0, { client: [stranger] })).toBe('begun');
    expect(await guarded(0, { client: [] })).toBe('begun');
    expect(await guarded(0, {})).toBe('begun');
    expect(await guarded(1, { user: null, company: null })).toBe('begun');
    expect(await guarded(0, { user: null, company: [company] })).toBe('CP409');
    expect(await guarded(0, { user: [first] })).toBe('begun');
  });

  test('is not moved by another company, nor by a write that changed nothing', async () => {
    const elsewhere = await makeCompany(stage);
    for (const name of ['a', 'b', 'c', 'd']) await makeClient(stage, elsewhere, name);
    await write(app, company, (client) => client.query('update clients set notes = notes'));
    expect(await guarded(4, { client: null, company: null })).toBe('begun');
  });

  test('sees what was committed while it waited for the head', async () => {
    const pid = await pidOf(app);
    let waiting: Promise<string> | undefined;
    await write(other, company, async () => {
      waiting = guarded(4, { client: [second] });
      await untilBlocked(stage, pid);
      await other.query(`update clients set notes = 'late' where id = $1`, [second]);
    });
    expect(await waiting).toBe('CP409');
  });

  // A missing part compares as null, which refuses nothing.
  test.each([{ entities: { client: null } }, { since: 0 }, {}])('%j is refused', async (guard) => {
    expect(await begunWrite({ guard })).not.toBe('begun');
  });
});
