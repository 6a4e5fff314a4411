import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { constraints } from '../../../src/registry.ts';
import { beginWrite, logOf, makeCompany, openStage, type Stage } from '../support.ts';
import { raise, shown, toldWrites } from './told.ts';

// What a caller is told when Postgres refuses.

let stage: Stage;
let company: string;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});

const { open, put, client, named } = toldWrites(() => ({ stage, company }));

describe('a violated constraint', () => {
  const taken = () => [client('external_id', sql`'E-1'`), client('external_id', sql`'E-1'`)];
  const manyKeys = () => sql`(select jsonb_object_agg(n, n) from generate_series(1, 51) n)`;

  test('is what the registry says it means to the caller', async () => {
    expect(await shown(put(taken()))).toEqual({
      code: 'external_id_taken',
      detail: constraints().clients_external_id?.detail,
      faults: [
        { pointer: '/externalId', code: 'external_id_taken', detail: constraints().clients_external_id?.detail },
      ],
      extra: {},
    });
    const unnamed = { code: 'invalid_body', detail: constraints().clients_identified?.detail };
    expect(await shown(put([client('notes', sql`'n'`)]))).toEqual({
      ...unnamed,
      faults: ['firstName', 'lastName', 'externalId', 'email', 'phone'].map((name) => ({
        pointer: `/${name}`,
        ...unnamed,
      })),
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
    `create function app.linger() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;
     create constraint trigger linger after insert on clients deferrable initially deferred for each row execute function app.linger();
     alter role cp_app in database ${name} set statement_timeout = '700ms'`,
  );
  await stage.neon.closeIdle(name);
  try {
    const slow = await shown(put([named('x'), sql`select pg_sleep(1)`]));
    expect(slow).toMatchObject({ code: 'busy', detail: expect.stringContaining('Nothing was changed') });
    expect((await put([named('y')])).head).toBe(2);
  } finally {
    await stage.sql(
      `drop trigger linger on clients; drop function app.linger(); alter role cp_app in database ${name} reset statement_timeout`,
    );
    await stage.neon.closeIdle(name);
  }
});
