import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../../src/core/errors.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { type Committed, commit, type Writer } from '../../../src/data/log.ts';
import type { Database } from '../../../src/data/postgres.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';
import { constraints } from '../../../src/registry.ts';
import { connect, type Stage } from '../support.ts';

export const system: Writer = { actor: 'SYSTEM', credential: { system: true } };

/** Writes as the Worker makes them, to this stage's company. */
export function toldWrites(where: () => { stage: Stage; company: string }) {
  const open = (mode: 'read' | 'write', meanings = constraints()): Database =>
    connect(where().stage, mode, { onFailure: (error) => mapPostgresError(error, meanings) });
  const put = (statements: SQL[], database = open('write'), writer = system, now?: () => number): Promise<Committed> =>
    commit(
      makeCtx('req_1', () => undefined, now),
      { database, companyId: where().company, name: 'test.put', writer },
      statements,
    );
  const client = (columns: string, values: SQL): SQL =>
    sql`insert into clients (company_id, id, ${sql.raw(columns)}) values (${where().company}::uuid, ${randomUUID()}::uuid, ${values})`;
  const named = (name: string): SQL => client('first_name', sql`${name}`);
  return { open, put, client, named };
}

/** Ends a statement with this SQLSTATE. */
export const raise = (state: string): SQL =>
  sql.raw(`do $$ begin raise exception 'secret' using errcode = '${state}'; end $$`);

/** What the caller gets to see of the error `work` ends with. */
export async function shown(work: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await work.then(
    () => new Error('it went through'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  return { code: error.code, detail: error.message, faults: error.faults, extra: error.extra };
}
