import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newUuid } from '../../../src/core/id.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { commit, snapshot } from '../../../src/data/log.ts';
import { type Database, openPostgres } from '../../../src/data/postgres.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';
import { until } from '../../support/until.ts';
import { openStack, type Stack } from '../../support/world.ts';

// R2: the revision and the rows of a read come from one snapshot, whatever is written meanwhile.

const READS = inject('thorough') ? 400 : 150;
/** Of an advisory lock that a read stands before in the middle. */
const GATE = 4711;

let world: Stack;
let reads: Database;
let writes: Database;
const companyId = newUuid();
const ctx = () => makeCtx('req_test', () => undefined);
const addClient = () =>
  commit(
    ctx(),
    { database: writes, companyId, name: 'test', writer: { actor: 'SYSTEM', credential: { system: true } } },
    [sql`insert into clients (company_id, id, first_name) values (${companyId}::uuid, ${newUuid()}::uuid, 'x')`],
  );
const counted = sql<{ n: number }>`select count(*)::int as n from clients where company_id = ${companyId}::uuid`;

beforeAll(async () => {
  world = await openStack();
  const options = {
    url: String(world.vars.DATABASE_URL),
    concurrency: 50,
    acquireTimeout: 10_000,
    slowQueryThreshold: 60_000,
  };
  const onFailure = (error: unknown) => mapPostgresError(error, {});
  reads = openPostgres({ ...options, mode: 'read', onFailure });
  writes = openPostgres({ ...options, mode: 'write', onFailure });
  await world.sql(
    `insert into companies (id, name, currency, time_zone) values ($1, 'R2', 'EUR', 'UTC')`,
    [companyId],
    'cp_owner',
  );
});
afterAll(() => world.close());

test('what is written between the revision of a read and its rows is in neither', async () => {
  const keeper = new pg.Client({ connectionString: world.adminUrl });
  await keeper.connect();
  try {
    await keeper.query('select pg_advisory_lock($1)', [GATE]);
    const read = snapshot(ctx(), { database: reads, companyId, name: 'test' }, [
      sql<{ locked: string }>`select pg_advisory_xact_lock_shared(${GATE}::bigint)::text as locked`,
      counted,
    ]);
    await until('the read stands before its rows', async () => {
      const waiting = await world.sql(
        `select from pg_locks l join pg_database d on d.oid = l.database
         where locktype = 'advisory' and not granted and objid = $1::bigint::oid and datname = current_database()`,
        [GATE],
      );
      return waiting.length > 0;
    });
    await addClient();
    await keeper.query('select pg_advisory_unlock($1)', [GATE]);
    const { revision, rows } = await read;
    expect([revision, rows[1][0]?.n]).toEqual([1, 0]);
    const later = await snapshot(ctx(), { database: reads, companyId, name: 'test' }, [counted]);
    expect([later.revision, later.rows[0][0]?.n]).toEqual([2, 1]);
  } finally {
    await keeper.end();
  }
});

test('no read pairs a revision with rows of another moment', async () => {
  let writing = true;
  const writer = async (): Promise<void> => {
    while (writing) {
      await addClient();
    }
  };
  const writers = [writer(), writer(), writer(), writer()];
  const wrong: string[] = [];
  for (let read = 0; read < READS; read += 1) {
    const { revision, rows } = await snapshot(ctx(), { database: reads, companyId, name: 'test' }, [counted]);
    const found = rows[0][0]?.n ?? 0;
    // The company itself took revision 1, every client one more.
    if (found + 1 !== revision) wrong.push(`${found} rows at revision ${revision}`);
  }
  writing = false;
  await Promise.all(writers);
  expect(wrong).toEqual([]);
});
