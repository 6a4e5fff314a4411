import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { type Committed, commit, snapshot, type Writer } from '../../../src/data/log.ts';
import type { Database } from '../../../src/data/postgres.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';
import { constraints } from '../../../src/registry.ts';
import { beginWrite, connect, logOf, makeCompany, openStage, type Stage } from '../support.ts';

// What a caller is told when Postgres refuses, and when it cannot be reached.

let stage: Stage;
let company: string;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});
afterEach(() => stage.neon.setFault(null));

const open = (mode: 'read' | 'write', meanings = constraints): Database =>
  connect(stage, mode, { onFailure: (error) => mapPostgresError(error, meanings) });

const system: Writer = { actor: 'SYSTEM', credential: { system: true } };
const put = (statements: SQL[], database = open('write'), writer = system, now?: () => number): Promise<Committed> =>
  commit(
    makeCtx('req_1', () => undefined, now),
    { database, companyId: company, name: 'test.put', writer },
    statements,
  );

/** What the caller gets to see of the error `work` ends with. */
async function shown(work: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await work.then(
    () => new Error('it went through'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  return { code: error.code, detail: error.message, faults: error.faults, extra: error.extra };
}

const client = (columns: string, values: SQL): SQL =>
  sql`insert into clients (company_id, id, ${sql.raw(columns)}) values (${company}::uuid, ${randomUUID()}::uuid, ${values})`;
const named = (name: string): SQL => client('first_name', sql`${name}`);
const raise = (state: string): SQL =>
  sql.raw(`do $$ begin raise exception 'secret' using errcode = '${state}'; end $$`);

describe('a violated constraint', () => {
  const taken = () => [client('external_id', sql`'E-1'`), client('external_id', sql`'E-1'`)];
  const manyKeys = () => sql`(select jsonb_object_agg(n, n) from generate_series(1, 51) n)`;

  test('is what the registry says it means to the caller', async () => {
    expect(await shown(put(taken()))).toEqual({
      code: 'external_id_taken',
      detail: constraints.clients_external_id?.detail,
      faults: [{ pointer: '/externalId', code: 'external_id_taken', detail: constraints.clients_external_id?.detail }],
      extra: {},
    });
    expect(await shown(put([client('notes', sql`'n'`)]))).toEqual({
      code: 'invalid_body',
      detail: constraints.clients_identified?.detail,
      faults: [],
      extra: {},
    });
    const many = await shown(put([client('first_name, custom_fields', sql`'x', ${manyKeys()}`)]));
    expect(many).toMatchObject({ code: 'invalid_body', faults: [{ pointer: '/customFields' }] });
  });

  test('that nobody gave a meaning is told by its kind', async () => {
    const plain = open('write', {});
    expect(await shown(put(taken(), plain))).toMatchObject({ code: 'duplicate', faults: [] });
    expect(await shown(put([client('notes', sql`'n'`)], plain))).toMatchObject({ code: 'invalid_body', faults: [] });
    const orphan = client('first_name, merged_into', sql`'x', ${randomUUID()}::uuid`);
    expect(await shown(put([orphan], plain))).toMatchObject({ code: 'unknown_reference', faults: [] });
  });

  test('leaves nothing behind, and nothing of its values in the answer', async () => {
    const told = await shown(put([named('kept?'), ...taken()], open('write', {})));
    expect(JSON.stringify(told)).not.toMatch(/E-1|insert|clients|external/);
    expect(await logOf(stage, company)).toHaveLength(1);
  });
});

describe('app.refuse', () => {
  const refuse = (code: string, detail: unknown): SQL =>
    sql`select app.refuse(true, ${code}, ${JSON.stringify(detail)}::jsonb)`;

  test('ends a write with one of our codes, its detail and its pointer', async () => {
    expect(await shown(put([named('x'), refuse('last_owner', { detail: 'Stay.', pointer: '/role' })]))).toEqual({
      code: 'last_owner',
      detail: 'Stay.',
      faults: [{ pointer: '/role', code: 'last_owner', detail: 'Stay.' }],
      extra: {},
    });
    expect(await shown(put([refuse('erased', {})]))).toMatchObject({ code: 'erased', faults: [] });
    expect(await shown(put([refuse('toString', {})]))).toMatchObject({ code: 'internal_error' });
    expect(await logOf(stage, company)).toHaveLength(1);
  });

  test('lets pass what there is no reason to refuse', async () => {
    expect((await put([sql`select app.refuse(false, 'erased'), app.refuse(null, 'erased')`, named('x')])).head).toBe(2);
  });

  test.each([
    ['null, 1', 'not_found'],
    ['null, null', 'not_found'],
    ['2, 1', 'version_mismatch'],
  ])('expect_version(%s) is %s', async (values, code) => {
    expect(await shown(put([sql.raw(`select app.expect_version(${values})`)]))).toMatchObject({ code });
  });

  test('expect_version passes the expected version, and any where none is expected', async () => {
    expect((await put([sql`select app.expect_version(2, 2), app.expect_version(2, null)`])).head).toBe(1);
  });
});

test.each([
  ['55P03', 'busy'],
  ['57014', 'database_unavailable'],
  ['53300', 'busy'],
  ['57P01', 'database_unavailable'],
  ['57P02', 'database_unavailable'],
  ['57P03', 'database_unavailable'],
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
  ['08006', 'database_unavailable'],
  ['22003', 'invalid_body'],
  ['CP001', 'internal_error'],
  ['CP002', 'internal_error'],
  ['CP401', 'session_revoked'],
  ['CP403', 'forbidden'],
  ['CP404', 'unauthenticated'],
  ['CP409', 'snapshot_conflict'],
  ['CP422', 'idempotency_key_reused'],
  ['42501', 'internal_error'],
  ['XX000', 'internal_error'],
])('state %s is told as %s, without its text', async (state, code) => {
  const told = await shown(put([raise(state)]));
  expect(told.code).toBe(code);
  expect(JSON.stringify(told)).not.toContain('secret');
});

test('a value that Postgres cannot hold is the caller’s fault', async () => {
  expect(await shown(put([named('a\u0000b')]))).toMatchObject({ code: 'invalid_body' });
});

test('a credential that ended or may not is told apart', async () => {
  const as = (credential: Record<string, unknown>) => put([], open('write'), { actor: 'USER:1', credential });
  const nobody = { user: randomUUID(), session: randomUUID(), roles: ['OWNER'] };
  expect(await shown(as(nobody))).toMatchObject({ code: 'session_revoked' });
});

test('a company whose head stays locked is busy, after lock_timeout', async () => {
  const other = await stage.login();
  await beginWrite(other, company);
  const name = new URL(stage.adminUrl).pathname.slice(1);
  await stage.sql(`alter role cp_app in database ${name} set lock_timeout = '50ms'`);
  // Sessions that are open keep the old limit.
  await stage.neon.closeIdle(name);
  try {
    expect(await shown(put([named('x')]))).toMatchObject({ code: 'busy', extra: { retryAfter: 1 } });
  } finally {
    await stage.sql(`alter role cp_app in database ${name} reset lock_timeout`);
    await other.query('rollback');
  }
});

test('statement_timeout strikes a statement, and never a COMMIT: what it ends is known to be undone', async () => {
  const name = new URL(stage.adminUrl).pathname.slice(1);
  await stage.sql(
    `create function app.linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$;
     create constraint trigger linger after insert on clients deferrable initially deferred for each row execute function app.linger();
     alter role cp_app in database ${name} set statement_timeout = '100ms'`,
  );
  await stage.neon.closeIdle(name);
  try {
    const slow = await shown(put([named('x'), sql`select pg_sleep(0.3)`]));
    expect(slow).toMatchObject({ code: 'busy', detail: expect.stringContaining('Nothing was changed') });
    expect((await put([named('y')])).head).toBe(2);
  } finally {
    await stage.sql(
      `drop trigger linger on clients; drop function app.linger(); alter role cp_app in database ${name} reset statement_timeout`,
    );
    await stage.neon.closeIdle(name);
  }
});

describe('a database out of reach', () => {
  const unreachable = { code: 'database_unavailable', extra: { retryAfter: 2 }, faults: [] };

  test.each(['refuse', 'garbage', 'garbage', 'garbage'] as const)(
    '(%s) is unavailable, to writers and readers',
    async (fault) => {
      stage.neon.setFault(fault);
      expect(await shown(put([named('x')]))).toMatchObject(unreachable);
      const read = snapshot(
        makeCtx('req_1', () => undefined),
        { database: open('read'), companyId: company, name: 'test.look' },
        [],
      );
      expect(await shown(read)).toMatchObject(unreachable);
      stage.neon.setFault(null);
      expect(await logOf(stage, company)).toHaveLength(1);
    },
  );

  test('is left alone for a second after five failures, then asked by one call at a time', async () => {
    const database = open('write');
    let now = 1_000_000;
    const tries = async (): Promise<number> => {
      const before = stage.neon.counts().requests;
      await shown(put([], database, system, () => now)).catch(() => undefined);
      return stage.neon.counts().requests - before;
    };
    stage.neon.setFault('refuse');
    for (let failure = 1; failure <= 5; failure += 1) expect(await tries()).toBe(1);
    expect([await tries(), await tries()]).toEqual([0, 0]);
    now += 1000;
    const before = stage.neon.counts().requests;
    await Promise.all([tries(), tries(), tries()]);
    expect(stage.neon.counts().requests - before).toBe(1);
    stage.neon.setFault(null);
    now += 999;
    expect(await tries()).toBe(0);
    now += 1;
    expect((await put([named('x')], database, system, () => now)).head).toBe(2);
    expect(await tries()).toBe(1);
  });

  test('is not what an error of Postgres counts as', async () => {
    const database = open('write');
    for (let failure = 1; failure <= 6; failure += 1)
      expect(await shown(put([raise('XX000')], database))).toMatchObject({ code: 'internal_error' });
    expect((await put([named('x')], database)).head).toBe(2);
  });
});

describe('what the proxy refuses', () => {
  const page = (bytes: number, database = open('write')) =>
    put([named('x'), sql`select repeat('a', 1000) from generate_series(1, ${Math.ceil(bytes / 1000)}::int)`], database);

  test('as too large an answer or request is undone, and opens no breaker', async () => {
    const database = open('write');
    stage.neon.setMostBytes(100_000);
    try {
      for (let failure = 1; failure <= 6; failure += 1)
        expect(await shown(page(200_000, database))).toMatchObject({ code: 'internal_error' });
    } finally {
      stage.neon.setMostBytes(null);
    }
    const huge = 'a'.repeat(11 * 1024 * 1024);
    expect(await shown(put([sql`select ${huge}::text`], database))).toMatchObject({ code: 'internal_error' });
    expect((await page(1000, database)).head).toBe(2);
  });

  test('at connect was never begun: busy where no place was left, else out of reach, and never an unknown outcome', async () => {
    const role = `r_${randomUUID().slice(0, 8)}`;
    await stage.sql(`create role ${role} login password 'p' connection limit 0`);
    const url = new URL(stage.vars.DATABASE_URL ?? '');
    url.username = role;
    url.password = 'p';
    const database = connect(stage, 'write', {
      url: url.href,
      onFailure: (error) => mapPostgresError(error, constraints),
    });
    try {
      for (let failure = 1; failure <= 6; failure += 1)
        expect(await shown(put([named('x')], database))).toMatchObject({ code: 'busy', extra: { retryAfter: 1 } });
      expect(database.breaker.state(Date.now())).toBe('closed');
      const name = new URL(stage.adminUrl).pathname.slice(1);
      await stage.sql(`revoke connect on database ${name} from public`);
      await stage.sql(`alter role ${role} connection limit 5`);
      const told = await shown(put([named('x')], database));
      expect(told).toMatchObject({ code: 'database_unavailable', extra: { sent: false } });
      await stage.sql(`grant connect on database ${name} to public`);
    } finally {
      await stage.sql(`drop role ${role}`);
    }
    expect(await logOf(stage, company)).toHaveLength(1);
  });
});
