import { dueAt, lookAgainAt, PATIENCE } from './patience.ts';

/** In the place of a write: the room was asked to announce the log, and has not yet. */
const OWED = 'owed';

/**
 * The writes that may have committed without having been announced. Rows, because the room may be evicted at any moment.
 */

export class Expectations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('create table if not exists expectations (request_id text primary key, since integer not null)');
  }

  add(requestId: string, now: number): void {
    this.#sql.exec('insert or replace into expectations (request_id, since) values (?, ?)', requestId, now);
  }

  forget(requestId: string): void {
    this.#sql.exec('delete from expectations where request_id = ?', requestId);
  }

  /** The log is to be announced, from now on until it is. */
  owe(now: number): void {
    this.add(OWED, now - PATIENCE);
  }

  settleDebt(): void {
    this.forget(OWED);
  }

  clear(): void {
    this.#sql.exec('delete from expectations');
  }

  /** Whether some write should have been published by now. */
  anyDue(now: number): boolean {
    try {
      // The clock stepped back: they are not to wait for it to catch up.
      this.#sql.exec('update expectations set since = ? where since > ?', now - PATIENCE, now);
      const { oldest } = this.#sql.exec('select min(since) oldest from expectations').one();
      return typeof oldest === 'number' && dueAt(oldest) <= now;
    } catch {
      // It cannot be told: none is to wait for that.
      return true;
    }
  }

  /** After all there is was announced: a write that waits for its company's lock may still commit, until it cannot. */
  forgetOver(now: number, longest: number): void {
    this.#sql.exec('delete from expectations where since <= ?', now - longest);
  }

  /** When to look for them next, ms; null when there are none. */
  nextLook(now: number): number | null {
    const looks = this.#sql.exec('select since from expectations').toArray();
    if (looks.length === 0) return null;
    return Math.min(...looks.map(({ since }) => lookAgainAt(Number(since), now)));
  }
}
