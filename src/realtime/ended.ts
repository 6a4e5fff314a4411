/** Longer than any token or ticket of a credential is good, ms. */
const REMEMBERED = 60 * 60 * 1000;

/**
 * Sessions and keys that the room was told, or found, to have ended. Whoever comes with one of them is asked for before they
 * are let in; of all others the room goes by what they show, and looks after them soon.
 */
export class Ended {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('create table if not exists ended (credential text primary key, until integer not null)');
  }

  add(credentials: readonly string[], now: number): void {
    for (const credential of credentials)
      this.#sql.exec('insert or replace into ended (credential, until) values (?, ?)', credential, now + REMEMBERED);
  }

  has(credential: string): boolean {
    return this.#sql.exec('select 1 from ended where credential = ?', credential).toArray().length > 0;
  }

  forget(now: number): void {
    this.#sql.exec('delete from ended where until < ?', now);
  }
}
