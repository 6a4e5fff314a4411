import type { Change } from '../../data/log.ts';
import type { Position } from '../../data/position.ts';

/** Changes kept, so that clients who come back need no Postgres. */
const SLOTS = 1024;
/** Larger ones are not kept, characters: whoever needs them reads the log. */
const LARGEST = 16 * 1024;

/** The latest changes of a company, and how far the sockets were sent. */
export interface Ring {
  /** Where the sockets are; null when nothing was ever sent. */
  position(): Position | null;
  /** Follows up to `position`; what lies between the last and the first of these is a hole. */
  append(changes: readonly Change[], position: Position): void;
  /** What follows this revision up to the position, `most` of it at most, or null where the ring does not hold all of that. */
  after(revision: number, most?: number): Change[] | null;
  /** Characters of what it holds after this revision. */
  length(revision: number): number;
  /** Starts anew, at another position. */
  restart(position: Position): void;
}

/** The ring in the object's own storage: it survives a deploy, whose herd of clients comes back all at once. */
export class StoredRing implements Ring {
  readonly #sql: SqlStorage;
  /** As its row has it, which nobody else changes. */
  #position: Position | null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      'create table if not exists ring (slot integer primary key, revision integer not null, change text not null)',
    );
    sql.exec(
      'create table if not exists sent (one integer primary key check (one = 1), epoch text not null, revision integer not null)',
    );
    const row = sql.exec('select epoch, revision from sent').toArray()[0];
    this.#position = row === undefined ? null : { epoch: String(row.epoch), revision: Number(row.revision) };
  }

  position(): Position | null {
    return this.#position;
  }

  append(changes: readonly Change[], position: Position): void {
    for (const change of changes.slice(-SLOTS)) {
      const text = JSON.stringify(change);
      const { revision } = change;
      // One that is too large leaves a hole, which sends whoever needs it to the log.
      if (text.length <= LARGEST)
        this.#sql.exec(
          'insert or replace into ring (slot, revision, change) values (?, ?, ?)',
          revision % SLOTS,
          revision,
          text,
        );
    }
    this.#move(position);
  }

  after(revision: number, most: number = SLOTS): Change[] | null {
    const head = this.#position?.revision ?? 0;
    if (head - revision > SLOTS || revision > head) return null;
    // Most who come back have missed nothing.
    if (revision === head) return [];
    const end = Math.min(head, revision + most);
    const rows = this.#sql
      .exec('select change from ring where revision > ? and revision <= ? order by revision', revision, end)
      .toArray();
    return rows.length === end - revision ? rows.map(({ change }) => JSON.parse(String(change)) as Change) : null;
  }

  length(revision: number): number {
    const head = this.#position?.revision ?? 0;
    if (revision >= head) return 0;
    const sum = 'select sum(length(change)) as length from ring where revision > ? and revision <= ?';
    return Number(this.#sql.exec(sum, revision, head).one().length ?? 0);
  }

  restart(position: Position): void {
    this.#sql.exec('delete from ring');
    this.#move(position);
  }

  #move({ epoch, revision }: Position): void {
    this.#sql.exec('insert or replace into sent (one, epoch, revision) values (1, ?, ?)', epoch, revision);
    this.#position = { epoch, revision };
  }
}

/** The same in memory, for whoever runs a hub outside of an object. */
export class MemoryRing implements Ring {
  #position: Position | null = null;
  readonly #changes = new Map<number, Change>();

  position(): Position | null {
    return this.#position;
  }

  append(changes: readonly Change[], position: Position): void {
    for (const change of changes) this.#changes.set(change.revision, change);
    for (const revision of this.#changes.keys())
      if (revision <= position.revision - SLOTS) this.#changes.delete(revision);
    this.#position = position;
  }

  after(revision: number, most: number = SLOTS): Change[] | null {
    const head = this.#position?.revision ?? 0;
    if (revision > head) return null;
    const end = Math.min(head, revision + most);
    const found: Change[] = [];
    for (let at = revision + 1; at <= end; at += 1) {
      const change = this.#changes.get(at);
      if (change === undefined) return null;
      found.push(change);
    }
    return found;
  }

  length(revision: number): number {
    let length = 0;
    for (const change of this.#changes.values())
      if (change.revision > revision) length += JSON.stringify(change).length;
    return length;
  }

  restart(position: Position): void {
    this.#changes.clear();
    this.#position = position;
  }
}
