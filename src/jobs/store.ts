import type { JobSpec, Packet } from '../data/jobs.ts';
import type { JobState, JobTimes } from './alarms.ts';

export type Job = JobTimes & {
  id: string;
  spec: JobSpec;
  /** Rows of the job that are done, as far as this object knows; the database knows better. */
  done: number;
  total: number;
  /** Failures in a row, whoever is to blame. */
  attempts: number;
  /** Those of them that nobody outside is to blame for. */
  ownFailures: number;
};

const TABLES = `create table if not exists jobs (seq integer primary key autoincrement, id text not null unique, spec text not null, state text not null,
    turn integer, total integer not null default 0, done integer not null default 0, attempts integer not null default 0, at integer not null, not_before integer not null default 0);
  create table if not exists packets (job text not null, first integer not null, count integer not null, rows text not null, primary key (job, first));
  create table if not exists seen (job text not null, key text not null, row integer not null, primary key (job, key)) without rowid;
  create table if not exists own_failures (job text primary key, count integer not null) without rowid`;

/** The rows of a company's jobs in the object's SQLite. Synchronous, as that is. */
export class JobStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  /** Those that were started first, in the order of that; a job that is under way is not overtaken. */
  jobs(): Job[] {
    return this.#sql
      .exec(
        `select id, spec, state, total, done, attempts, at, not_before, coalesce(count, 0) as own_failures
          from jobs left join own_failures on job = id order by turn nulls last, seq`,
      )
      .toArray()
      .map((row) => ({
        id: String(row.id),
        spec: JSON.parse(String(row.spec)) as JobSpec,
        state: row.state as JobState,
        total: Number(row.total),
        done: Number(row.done),
        attempts: Number(row.attempts),
        ownFailures: Number(row.own_failures),
        at: Number(row.at),
        notBefore: Number(row.not_before),
      }));
  }

  count(): number {
    return Number(this.#sql.exec('select count(*) as n from jobs').one().n);
  }

  has(id: string): boolean {
    return this.#sql.exec('select 1 from jobs where id = ?', id).toArray().length > 0;
  }

  /** Repeatable: a packet that came before is replaced by itself. */
  stage(id: string, spec: JobSpec, packets: readonly Packet[], now: number): void {
    this.#sql.exec(
      `insert into jobs (id, spec, state, at) values (?, ?, 'OPEN', ?) on conflict (id) do update set at = excluded.at`,
      id,
      JSON.stringify(spec),
      now,
    );
    for (const { first, count, rows } of packets)
      this.#sql.exec(
        'insert or replace into packets (job, first, count, rows) values (?, ?, ?, ?)',
        id,
        first,
        count,
        rows,
      );
  }

  seal(id: string, total: number, now: number): void {
    this.#sql.exec(`update jobs set state = 'SEALED', total = ?, at = ? where id = ?`, total, now, id);
  }

  /** Said twice, it keeps its place. */
  start(id: string, now: number): void {
    this.#sql.exec(
      `update jobs set state = 'STARTED', at = ?, not_before = 0, attempts = 0, turn = (select coalesce(max(turn), 0) + 1 from jobs)
        where id = ? and state <> 'STARTED'`,
      now,
      id,
    );
  }

  /** The packet that holds the row after the first `done`, or null. */
  packetAt(id: string, done: number): Packet | null {
    const row = this.#sql
      .exec('select first, count, rows from packets where job = ? and first <= ? and first + count > ?', id, done, done)
      .toArray()[0];
    return row === undefined ? null : { first: Number(row.first), count: Number(row.count), rows: String(row.rows) };
  }

  /** What is done is not kept: rows of a file are personal data. */
  went(id: string, done: number, now: number): void {
    this.#sql.exec('update jobs set done = ?, attempts = 0, not_before = 0, at = ? where id = ?', done, now, id);
    this.#sql.exec('delete from packets where job = ? and first + count <= ?', id, done);
    this.#sql.exec('delete from own_failures where job = ?', id);
  }

  postpone(id: string, notBefore: number): void {
    this.#sql.exec('update jobs set attempts = attempts + 1, not_before = ? where id = ?', notBefore, id);
  }

  /** A failure of our own; one from outside in between leaves the count. */
  blame(id: string): void {
    this.#sql.exec(
      'insert into own_failures (job, count) values (?, 1) on conflict (job) do update set count = count + 1',
      id,
    );
  }

  /** The first row that has this key; `row` itself when no other had it before. */
  firstWith(id: string, key: string, row: number): number {
    this.#sql.exec('insert or ignore into seen (job, key, row) values (?, ?, ?)', id, key, row);
    return Number(this.#sql.exec('select row from seen where job = ? and key = ?', id, key).one().row);
  }

  forget(id: string): void {
    for (const [table, column] of [
      ['packets', 'job'],
      ['seen', 'job'],
      ['own_failures', 'job'],
      ['jobs', 'id'],
    ] as const)
      this.#sql.exec(`delete from ${table} where ${column} = ?`, id);
  }
}
