import { readFile } from 'node:fs/promises';
import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';

/** What one statement reads, of EXPLAIN (ANALYZE, BUFFERS): rows of the tables, those that a filter threw away included. */
export type Reading = {
  /** Rows fetched from a table. */
  rows: number;
  /** Entries passed in an index without a look at their row. */
  entries: number;
  answered: number;
  scans: string[];
  ms: number;
};

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Heap Fetches'?: number;
  Plans?: Node[];
};

export type Statement = { text: string; values: unknown[] };

const dialect = new PgDialect();
export function statementOf(query: SQL): Statement {
  const { sql, params } = dialect.sqlToQuery(query);
  return { text: sql, values: params };
}

/** Runs work as the application reads: its role, its tenant, one snapshot. */
export async function asReader<T>(client: pg.Client, company: string, work: () => Promise<T>): Promise<T> {
  await client.query('begin isolation level repeatable read read only; set local role cp_app');
  try {
    await client.query('select from app.begin_read($1)', [company]);
    return await work();
  } finally {
    await client.query('rollback');
  }
}

export async function explain(client: pg.Client, { text, values }: Statement): Promise<Reading> {
  const { rows } = await client.query<{
    'QUERY PLAN': [{ Plan: Node; 'Execution Time': number; 'Planning Time': number }];
  }>(`explain (analyze, buffers, timing off, format json) ${text}`, values);
  const plan = rows[0]?.['QUERY PLAN'][0];
  if (plan === undefined) throw new Error('no plan');
  const reading: Reading = {
    ...{ rows: 0, entries: 0, scans: [] },
    answered: plan.Plan['Actual Rows'] * plan.Plan['Actual Loops'],
    ms: plan['Execution Time'] + plan['Planning Time'],
  };
  add(reading, plan.Plan);
  // What functions read is in no plan, but it is counted.
  const before = await fetched(client);
  await client.query(text, values);
  reading.rows = Math.max(reading.rows, (await fetched(client)) - before);
  return reading;
}

/**
 * What the session's process has used of a processor, ms, where the system tells it (Linux): the wall clock of a machine that
 * runs other tests measures those. Else the wall clock.
 */
export async function used(client: pg.Client): Promise<number> {
  // The backend has gone to sleep, and so has booked its time, when it answers the next question.
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  try {
    return Number((await readFile(`/proc/${rows[0]?.pid}/schedstat`, 'utf8')).split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Rows that this transaction has fetched from tables so far. */
async function fetched(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    'select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as n from pg_stat_xact_user_tables',
  );
  return Number(rows[0]?.n);
}

function add(reading: Reading, node: Node): void {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const looked = Math.round((node['Actual Rows'] + removed) * node['Actual Loops']);
  const type = node['Node Type'];
  // A function that finds ids reads the rows it answers.
  if (type === 'Function Scan') reading.rows += looked;
  if (node['Relation Name'] !== undefined) {
    if (type === 'Index Only Scan') {
      reading.entries += looked;
      reading.rows += node['Heap Fetches'] ?? 0;
    } else reading.rows += looked;
    if (looked > 0 || node['Actual Loops'] > 0) reading.scans.push(`${type} of ${node['Relation Name']}`);
  }
  for (const child of node.Plans ?? []) add(reading, child);
}
