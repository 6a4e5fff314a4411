import { sql } from 'drizzle-orm';
import { afterEach, expect, test, vi } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { openPostgres, unavailable } from '../../../src/data/postgres.ts';

afterEach(() => void vi.unstubAllGlobals());

test('whoever waited for a place while the database went away is told so at once, and does not wait for it too', async () => {
  let sent = 0;
  vi.stubGlobal('fetch', async () => {
    sent += 1;
    throw new Error('away');
  });
  // Of one company one read at a time.
  const database = openPostgres({
    ...{ url: 'postgres://a:b@db.example.com/c', mode: 'read', concurrency: 5 },
    ...{ acquireTimeout: 5000, slowQueryThreshold: 1000, onFailure: (error) => unavailable(error) },
  });
  const ask = () =>
    database
      .batch(
        makeCtx('req', () => undefined),
        { name: 'test', companyId: 'x' },
        [sql`select 1`],
      )
      .catch((error: { code: string }) => error.code);
  expect(await Promise.all(Array.from({ length: 9 }, ask))).toEqual(Array(9).fill('database_unavailable'));
  expect(sent).toBe(5);
});
