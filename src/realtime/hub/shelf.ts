import type { Place } from '../../data/live-list.ts';
import type { Position } from '../../data/position.ts';

/** Where the rows of followed lists stood, at a position of the room: what it knows again when it wakes. */
export interface Shelf {
  find(key: string): { at: Position; places: Place[] } | null;
  /** These have changed since; of all kept, those that are not `used` are dropped, and the others are of this position. */
  keep(at: Position, changed: ReadonlyMap<string, readonly Place[]>, used: ReadonlySet<string>): void;
  clear(): void;
}

/** In the object's own storage. */
export class StoredShelf implements Shelf {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('create table if not exists lists (key text primary key, places text not null)');
    sql.exec(
      'create table if not exists listed (one integer primary key check (one = 1), epoch text not null, revision integer not null)',
    );
  }

  find(key: string): { at: Position; places: Place[] } | null {
    const row = this.#sql.exec('select epoch, revision, places from listed, lists where key = ?', key).toArray()[0];
    if (row === undefined) return null;
    const at = { epoch: String(row.epoch), revision: Number(row.revision) };
    return { at, places: JSON.parse(String(row.places)) as Place[] };
  }

  keep({ epoch, revision }: Position, changed: ReadonlyMap<string, readonly Place[]>, used: ReadonlySet<string>): void {
    for (const { key } of this.#sql.exec('select key from lists').toArray())
      if (!used.has(String(key))) this.#sql.exec('delete from lists where key = ?', key);
    for (const [key, places] of changed)
      this.#sql.exec('insert or replace into lists (key, places) values (?, ?)', key, JSON.stringify(places));
    this.#sql.exec('insert or replace into listed (one, epoch, revision) values (1, ?, ?)', epoch, revision);
  }

  clear(): void {
    this.#sql.exec('delete from lists');
  }
}

/** The same in memory, for whoever runs a hub outside of an object. */
export class MemoryShelf implements Shelf {
  #at: Position | null = null;
  readonly #lists = new Map<string, string>();

  find(key: string): { at: Position; places: Place[] } | null {
    const text = this.#lists.get(key);
    return text === undefined || this.#at === null ? null : { at: this.#at, places: JSON.parse(text) as Place[] };
  }

  keep(at: Position, changed: ReadonlyMap<string, readonly Place[]>, used: ReadonlySet<string>): void {
    for (const key of this.#lists.keys()) if (!used.has(key)) this.#lists.delete(key);
    for (const [key, places] of changed) this.#lists.set(key, JSON.stringify(places));
    this.#at = at;
  }

  clear(): void {
    this.#lists.clear();
  }
}
