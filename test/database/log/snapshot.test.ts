import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newUuid } from '../../../src/core/id.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { commit, snapshot } from '../../../src/data/log.ts';
import { type Database, openPostgres } from '../../../src/data/postgres.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';
import { openStack, type Stack } from '../../support/world.ts';

// R2: the revision and the rows of a read come from one snapshot, whatever is written meanwhile.

const READS = inject('thorough') ? 400 : 150;

let world: Stack;
let reads: Database;
let writes: Database;
const companyId = newUuid();
const ctx = () => makeCtx('req_test', () => undefined);

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

test('no read pairs a revision with rows of another moment', async () => {
  let writing = true;
  const writer = async (): Promise<void> => {
    while (writing) {
      const writer = { actor: 'SYSTEM', credential: { system: true } };
      await commit(ctx(), { database: writes, companyId, name: 'test', writer }, [
        sql`insert into clients (company_id, id, first_name) values (${companyId}::uuid, ${newUuid()}::uuid, 'x')`,
      ]);
    }
  };
  const writers = [writer(), writer(), writer(), writer()];
  const wrong: string[] = [];
  for (let read = 0; read < READS; read += 1) {
    const { revision, rows } = await snapshot(ctx(), { database: reads, companyId, name: 'test' }, [
      sql<{ n: number }>`select count(*)::int as n from clients where company_id = ${companyId}::uuid`,
    ]);
    const found = rows[0][0]?.n ?? 0;
    // The company itself took revision 1, every client one more.
    if (found + 1 !== revision) wrong.push(`${found} rows at revision ${revision}`);
  }
  writing = false;
  await Promise.all(writers);
  expect(wrong).toEqual([]);
});
