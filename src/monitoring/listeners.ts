/** A room that has said nothing for so long has nobody, ms: those that have somebody say so every minute. */
const SILENT = 150_000;

const TABLE =
  'create table if not exists rooms (id text primary key, sockets integer not null, at integer not null) without rowid';

/** How many sockets each room has, as it said last. */
export class Listeners {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  told(room: string, sockets: number, now: number): void {
    if (sockets > 0)
      this.#sql.exec('insert or replace into rooms (id, sockets, at) values (?, ?, ?)', room, sockets, now);
    else this.#sql.exec('delete from rooms where id = ?', room);
  }

  count(now: number): { rooms: number; sockets: number } {
    const row = this.#sql
      .exec('select count(*) as rooms, coalesce(sum(sockets), 0) as sockets from rooms where at > ?', now - SILENT)
      .one();
    return { rooms: Number(row.rooms), sockets: Number(row.sockets) };
  }

  forget(now: number): void {
    this.#sql.exec('delete from rooms where at <= ?', now - SILENT);
  }
}
