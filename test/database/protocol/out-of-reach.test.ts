import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { snapshot } from '../../../src/data/log.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';
import { constraints } from '../../../src/registry.ts';
import { connect, logOf, makeCompany, openStage, type Stage } from '../support.ts';
import { raise, shown, system, toldWrites } from './told.ts';

// What a caller is told when Postgres cannot be reached, or what stands before it refuses.

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

const { open, put, named } = toldWrites(() => ({ stage, company }));

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
      onFailure: (error) => mapPostgresError(error, constraints()),
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
