import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Deps } from '../../../src/data/deps.ts';
import { retain } from '../../../src/jobs/retention.ts';

const KINDS = ['trim_expired', 'trim_imports', 'end_holds', 'trim_changes'];
const ctx = makeCtx(
  'retention',
  () => undefined,
  () => 1000,
);
const dialect = new PgDialect();

/** A database in which one kind of thing fails so, and the others have nothing to forget. */
function failing(kind: string, error: Error) {
  const asked: string[] = [];
  const batch = async (_ctx: unknown, _call: unknown, [statement]: [SQL]): Promise<unknown> => {
    const { sql } = dialect.sqlToQuery(statement);
    const name = KINDS.find((each) => sql.includes(`app.${each}(`)) ?? sql;
    asked.push(name);
    if (name === kind) throw error;
    return [[{ gone: 0, last_company: null, trimmed: 0, more: false }]];
  };
  const pipeline = { set: () => undefined, get: () => undefined, del: () => undefined };
  const redis = {
    key: (...parts: string[]) => parts.join(':'),
    async trip(_ctx: unknown, fill: (p: typeof pipeline) => void, read: (answers: unknown[]) => unknown) {
      fill(pipeline);
      return read(['OK', null]);
    },
  };
  return { asked, deps: { redis, jobs: { batch } } as unknown as Deps };
}

test.each(KINDS)('a fault of %s keeps no other kind from its turn, and is told', async (kind) => {
  const { asked, deps } = failing(kind, new AppError('internal_error'));
  await expect(retain(ctx, deps)).rejects.toMatchObject({ code: 'internal_error' });
  expect(asked).toEqual(KINDS);
});

test.each(KINDS)('%s, when it takes too long, is left for the next minute, and the others are done', async (kind) => {
  const { asked, deps } = failing(kind, new AppError('busy'));
  expect(await retain(ctx, deps)).toMatchObject({ forgotten: 0 });
  expect(new Set(asked)).toEqual(new Set(KINDS));
});
