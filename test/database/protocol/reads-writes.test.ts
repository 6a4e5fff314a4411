import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Ctx, makeCtx } from '../../../src/data/ctx.ts';
import {
  type Claim,
  type Committed,
  changesAfter,
  commit,
  type Guard,
  type Kept,
  readChange,
  snapshot,
} from '../../../src/data/log.ts';
import type { Database } from '../../../src/data/postgres.ts';
import { connect, logOf, makeClient, makeCompany, openStage, type Stage } from '../support.ts';

// The two deps of the Worker, over HTTP as it uses them: what one batch is, and what comes back.

let stage: Stage;
let company: string;
let ctx: Ctx;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
  ctx = makeCtx('req_1', () => undefined);
});
afterEach(() => stage.neon.setHooks({ onRequest: null, afterCommit: null }));

const open = (mode: 'read' | 'write', more = {}): Database => connect(stage, mode, more);

type Options = { database?: Database; claim?: Claim; kept?: Kept; guard?: Guard };
const put = (statements: SQL[], { database = open('write'), ...options }: Options = {}): Promise<Committed> =>
  commit(
    ctx,
    {
      database,
      companyId: company,
      name: 'test.put',
      writer: { actor: 'USER:1', credential: { system: true } },
      ...options,
    },
    statements,
  );
const look = <const Q extends readonly SQL[]>(statements: Q, database = open('read'), of = company) =>
  snapshot(ctx, { database, companyId: of, name: 'test.look' }, statements);
const add = (id: string, name = 'Ann'): SQL =>
  sql`insert into clients (company_id, id, first_name) values (${company}::uuid, ${id}::uuid, ${name})`;
const isolation = sql`select current_setting('transaction_isolation') isolation, current_setting('transaction_read_only') read_only`;

/** Requests and statements of `work`, as the bridge counted them. */
async function counted(work: () => Promise<unknown>): Promise<{ requests: number; statements: number }> {
  const before = stage.neon.counts();
  await work();
  const after = stage.neon.counts();
  return {
    requests: after.requests - before.requests,
    statements: after.statements - before.statements,
  };
}

describe('snapshot', () => {
  test('is one request, REPEATABLE READ and READ ONLY, as cp_app', async () => {
    const seen: unknown[] = [];
    stage.neon.setHooks({ onRequest: ({ user, readOnly }) => seen.push({ user, readOnly }) });
    const trip = await counted(async () => {
      const { rows } = await look([isolation, sql`select count(*)::int n from clients`]);
      expect(rows.map(([first]) => first)).toEqual([{ isolation: 'repeatable read', read_only: 'on' }, { n: 0 }]);
    });
    expect(trip).toEqual({ requests: 1, statements: 3 });
    expect(seen).toEqual([{ user: 'cp_app', readOnly: true }]);
    expect(ctx.trips).toEqual({ redis: 0, postgres: 1, room: 0 });
  });

  test('answers epoch and revision of its rows, as a string and a number', async () => {
    await makeClient(stage, company);
    const [head] = await stage.sql('select epoch from company_heads where company_id = $1', [company]);
    const { epoch, revision, rows } = await look([sql`select first_name from clients`]);
    expect({ epoch, revision }).toEqual({ epoch: head?.epoch, revision: 2 });
    expect(rows[0]).toEqual([{ first_name: 'Ann' }]);
  });

  test('of a company that does not exist is for nobody', async () => {
    await expect(look([], open('read'), randomUUID())).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('cannot write, and needs the database for reads', async () => {
    await expect(look([add(randomUUID())])).rejects.toMatchObject({ code: 'internal_error' });
    expect(await logOf(stage, company)).toHaveLength(1);
    // Nor are the deps to be mixed up.
    await expect(look([], open('write'))).rejects.toMatchObject({ code: 'internal_error' });
    await expect(put([add(randomUUID())], { database: open('read') })).rejects.toMatchObject({
      code: 'internal_error',
    });
  });
});

describe('commit', () => {
  test('is one request, READ COMMITTED, with the results of the caller’s own statements', async () => {
    const [id, claim] = [randomUUID(), { route: '/r', key: 'k', fingerprint: new Uint8Array([1, 0, 255]) }];
    const trip = await counted(async () => {
      const { rows } = await put([isolation, add(id), sql`select 7 as seven`], { claim });
      expect(rows.map(([first]) => first)).toEqual([
        { isolation: 'read committed', read_only: 'off' },
        undefined,
        { seven: 7 },
      ]);
    });
    // begin_write, claim_key, three of ours, store_answer, end_write
    expect(trip).toEqual({ requests: 1, statements: 7 });
    expect(ctx.trips.postgres).toBe(1);
    const [key] = await stage.sql('select status, fingerprint from idempotency_keys where company_id = $1', [company]);
    expect(key).toEqual({ status: 200, fingerprint: Buffer.from([1, 0, 255]) });
  });

  test('answers every change it logged, typed, as the log has them', async () => {
    const ids = [randomUUID(), randomUUID()].sort() as [string, string];
    const committed = await put([
      add(ids[0]),
      add(ids[1]),
      sql`update clients set notes = 'n' where id = ${ids[0]}::uuid`,
    ]);
    const [head] = await stage.sql('select epoch from company_heads where company_id = $1', [company]);
    expect(committed).toMatchObject({ epoch: head?.epoch, base: 1, head: 4, replay: null });
    const log = await logOf(stage, company);
    expect(committed.changes).toEqual(
      log.slice(1).map((row) => ({
        revision: row.revision,
        entity: 'client',
        entityId: row.entity_id,
        operation: row.operation,
        schemaVersion: 1,
        before: row.before,
        after: row.after,
        actor: 'USER:1',
        requestId: 'req_1',
        changedAt: expect.any(String),
      })),
    );
    const times = committed.changes.map(({ changedAt }) => Date.parse(changedAt));
    expect(times).toEqual(log.slice(1).map(({ changed_at }) => changed_at.getTime()));
    const after = await look([changesAfter(2, 10), changesAfter(0, 2)]);
    expect(after.rows[0].map(readChange)).toEqual(committed.changes.slice(1));
    expect(after.rows[1].map(readChange).map(({ revision }) => revision)).toEqual([1, 2]);
  });

  test('that changes nothing says so', async () => {
    const committed = await put([sql`update clients set notes = notes`]);
    expect(committed).toMatchObject({ base: 1, head: 1, changes: [], replay: null });
  });

  test('undoes all of it when its last statement fails', async () => {
    await expect(put([add(randomUUID()), sql`select 1 / 0`])).rejects.toMatchObject({ code: 'invalid_body' });
    expect(await logOf(stage, company)).toHaveLength(1);
  });

  test('is refused when its guard moved, and not otherwise', async () => {
    const id = await makeClient(stage, company);
    const guard = { since: 1, entities: { client: [id] } };
    await expect(put([add(randomUUID())], { guard })).rejects.toMatchObject({ code: 'snapshot_conflict' });
    expect((await put([add(randomUUID())], { guard: { ...guard, since: 2 } })).head).toBe(3);
  });
});

describe('a repeated key', () => {
  const claim = (key: string, body = 1): Claim => ({
    route: '/clients',
    key,
    fingerprint: new Uint8Array([0, 0, 0, 0, body]),
  });
  const keep = (id: string): Kept => ({
    status: 201,
    entityId: id,
    result: sql`jsonb_build_object('duplicates', '[]'::jsonb)`,
  });

  test('answers the stored answer in one request, and changes nothing', async () => {
    const id = randomUUID();
    const first = await put([add(id)], { claim: claim('k'), kept: keep(id) });
    const trip = await counted(async () => {
      const again = randomUUID();
      expect(await put([add(again)], { claim: claim('k'), kept: keep(again) })).toEqual({
        epoch: '',
        base: 2,
        head: 2,
        changes: [],
        rows: [[]],
        replay: {
          status: 201,
          revision: 2,
          entityId: id,
          result: { duplicates: [] },
          image: { schemaVersion: 1, entity: 'client', row: first.changes[0]?.after },
        },
      });
    });
    expect(trip.requests).toBe(1);
    expect(await logOf(stage, company)).toHaveLength(2);
    await expect(put([], { claim: claim('k', 2) })).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  test('finds the answer that was lost after its commit', async () => {
    const id = randomUUID();
    stage.neon.setHooks({ afterCommit: () => Promise.reject(new Error('the line is cut')) });
    const order = { claim: claim('lost'), kept: keep(id) };
    await expect(put([add(id)], order)).rejects.toMatchObject({ code: 'database_unavailable' });
    stage.neon.setHooks({ afterCommit: null });
    expect((await put([add(id)], order)).replay).toMatchObject({ status: 201, revision: 2, entityId: id });
  });
});

describe('the isolate’s places for database calls', () => {
  test('are limited: who finds none in time is told to come back, and they are given back', async () => {
    const held = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    stage.neon.setHooks({
      onRequest() {
        entered.resolve();
        return held.promise;
      },
    });
    const database = open('read', { concurrency: 1, acquireTimeout: 0 });
    const first = look([], database);
    await entered.promise;
    const before = stage.neon.counts().requests;
    await expect(look([], database)).rejects.toMatchObject({ code: 'busy', extra: { retryAfter: 1 } });
    expect(stage.neon.counts().requests).toBe(before);
    held.resolve();
    expect((await first).revision).toBe(1);
    await expect(look([sql`select 1 / 0`], database)).rejects.toMatchObject({ code: 'invalid_body' });
    expect((await look([], database)).revision).toBe(1);
  });

  test('are waited for as long as is allowed', async () => {
    const held = Promise.withResolvers<void>();
    stage.neon.setHooks({ onRequest: () => held.promise });
    const database = open('read', { concurrency: 1, acquireTimeout: 10_000 });
    const both = Promise.all([look([], database), look([], database)]);
    held.resolve();
    expect((await both).map(({ revision }) => revision)).toEqual([1, 1]);
  });
});

test('a slow batch is noted by its name and time, never by a value', async () => {
  await look([sql`select ${'secret'}::text`], open('read', { slowQueryThreshold: 0 }));
  expect(ctx.notes).toEqual({ slowQuery: expect.stringMatching(/^test\.look:\d+ms$/) });
});
