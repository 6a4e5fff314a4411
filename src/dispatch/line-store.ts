import type { Attempt, AttemptQuery, Line, Mark } from '../data/dispatch.ts';
import { begin, type Standing } from './standing.ts';
import type { Memory } from './walk.ts';

const TABLES = `create table if not exists company (one integer primary key check (one = 1), id text not null);
  create table if not exists lines (name text primary key, generation integer not null, epoch text not null, revision integer not null,
    attempts integer not null, first_at integer, failing_since integer, not_before integer not null, moved_at integer) without rowid;
  create table if not exists attempts (seq integer primary key autoincrement, line text not null, revision integer not null, first integer,
    type text, outcome text not null, attempt integer not null, at integer not null, next_at integer,
    duration integer not null, status integer, error text);
  create index if not exists attempts_of_line on attempts (line, seq)`;

/** Attempts kept per line; trimmed when an eighth more have come. */
const MOST_ATTEMPTS = 1000;
const SLACK = MOST_ATTEMPTS / 8;

/** Not written down elsewhere yet, since the first move (time ?9) after the last time it was. */
const MOVED_AT = 'coalesce(moved_at, case when (epoch, revision, not_before) is not (?3, ?4, ?8) then ?9 end)';

type Row = Record<string, SqlStorageValue>;

const numberOrNull = (value: SqlStorageValue | undefined): number | null => (value == null ? null : Number(value));
const textOrNull = (value: SqlStorageValue | undefined): string | null => (value == null ? null : String(value));

/** The lines of a company and what was tried, in the object's SQLite. Revisions and types, nothing that was sent. */
export class LineStore implements Memory {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
    sql.exec(TABLES);
  }

  belongsTo(companyId: string): void {
    this.#sql.exec('insert or ignore into company (one, id) values (1, ?)', companyId);
  }

  companyId(): string | null {
    return textOrNull(this.#sql.exec('select id from company').toArray()[0]?.id);
  }

  standing(name: string): Standing | null {
    const row = this.#sql.exec('select * from lines where name = ?', name).toArray()[0];
    return row === undefined ? null : standingOf(row);
  }

  put(name: string, s: Standing): void {
    this.#sql.exec(
      `update lines set epoch = ?3, revision = ?4, attempts = ?5, first_at = ?6, failing_since = ?7, not_before = ?8,
          moved_at = ${MOVED_AT} where name = ?1 and generation = ?2`,
      ...this.#valuesOf(name, s),
    );
  }

  #begin(name: string, s: Standing): void {
    this.#sql.exec(
      `insert into lines (name, generation, epoch, revision, attempts, first_at, failing_since, not_before)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict (name) do update set generation = ?2, epoch = ?3, revision = ?4, attempts = ?5, first_at = ?6,
          failing_since = ?7, not_before = ?8, moved_at = ${MOVED_AT}`,
      ...this.#valuesOf(name, s),
    );
  }

  #valuesOf(name: string, s: Standing): SqlStorageValue[] {
    const { generation, position, attempts, firstAt, failingSince, notBefore } = s;
    const { epoch, revision } = position;
    return [name, generation, epoch, revision, attempts, firstAt, failingSince, notBefore, this.#now()];
  }

  /** Takes in who follows now. Answers those who do no more, and where they stood. */
  reconcile(lines: readonly Line[]): Mark[] {
    for (const { name, position, generation } of lines)
      if (this.standing(name)?.generation !== generation) this.#begin(name, begin(position, generation));
    const names = new Set(lines.map(({ name }) => name));
    return this.#marks('select * from lines').filter(({ name }) => !names.has(name));
  }

  forget(name: string): void {
    this.#sql.exec('delete from lines where name = ?', name);
  }

  /** Need not wait any longer. */
  hurry(name: string): void {
    this.#sql.exec('update lines set not_before = 0 where name = ?', name);
  }

  /** When the first move was that is not written down elsewhere, ms. */
  movedAt(): number | null {
    return numberOrNull(this.#sql.exec('select min(moved_at) as at from lines').one().at);
  }

  moved(): Mark[] {
    return this.#marks('select * from lines where moved_at is not null');
  }

  /** These are written down; one that has moved on meanwhile is so again. */
  kept(marks: readonly Mark[]): void {
    for (const { name, position } of marks)
      this.#sql.exec(
        'update lines set moved_at = case when (epoch, revision) is (?, ?) then null else ? end where name = ?',
        ...[position.epoch, position.revision, this.#now(), name],
      );
  }

  #marks(query: string): Mark[] {
    const now = this.#now();
    return this.#sql
      .exec(query)
      .toArray()
      .map((row) => {
        const { position, generation, notBefore } = standingOf(row);
        return { name: String(row.name), generation, position, waitsUntil: notBefore > now ? notBefore : null };
      });
  }

  note(name: string, a: Omit<Attempt, 'seq'>): void {
    const { seq } = this.#sql
      .exec(
        `insert into attempts (line, revision, first, type, outcome, attempt, at, next_at, duration, status, error)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning seq`,
        ...[name, a.revision, a.from, a.type, a.outcome, a.attempt, a.at, a.nextAt, a.durationMs, a.status, a.error],
      )
      .one();
    if (Number(seq) % SLACK === 0) this.#trim();
  }

  #trim(): void {
    for (const { line } of this.#sql.exec('select distinct line from attempts').toArray())
      this.#sql.exec(
        `delete from attempts where line = ?1 and seq <= (select seq from attempts where line = ?1 order by seq desc limit 1 offset ${MOST_ATTEMPTS})`,
        String(line),
      );
  }

  attempts({ name, before, limit, outcomes }: AttemptQuery): Attempt[] {
    return this.#sql
      .exec(
        `select * from attempts where line = ?1 and seq < ?2 and (?3 is null or instr(?3, ',' || outcome || ',') > 0)
          order by seq desc limit ?4`,
        ...[name, before ?? Number.MAX_SAFE_INTEGER, outcomes === null ? null : `,${outcomes.join()},`, limit],
      )
      .toArray()
      .map(attemptOf);
  }

  clear(): void {
    for (const table of ['company', 'lines', 'attempts']) this.#sql.exec(`delete from ${table}`);
  }
}

const standingOf = (row: Row): Standing => ({
  position: { epoch: String(row.epoch), revision: Number(row.revision) },
  generation: Number(row.generation),
  attempts: Number(row.attempts),
  firstAt: numberOrNull(row.first_at),
  failingSince: numberOrNull(row.failing_since),
  notBefore: Number(row.not_before),
});

const attemptOf = (row: Row): Attempt => ({
  seq: Number(row.seq),
  revision: Number(row.revision),
  from: numberOrNull(row.first),
  type: textOrNull(row.type),
  outcome: String(row.outcome) as Attempt['outcome'],
  attempt: Number(row.attempt),
  at: Number(row.at),
  nextAt: numberOrNull(row.next_at),
  durationMs: Number(row.duration),
  status: numberOrNull(row.status),
  error: textOrNull(row.error),
});
