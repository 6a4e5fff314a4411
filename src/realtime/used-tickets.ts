import { TICKET_SECONDS } from '../core/ticket.ts';
import { covers, joined, type Span } from './spans.ts';

/** By its own id; ms until which it is good. */
type Used = { id: string; until: number };

/** What outlives the object. Each call is kept whole or not at all, before whatever is answered after it leaves the room. */
export interface TicketStore {
  /** Tickets that were used, and when those end of which that is not known. */
  read(): { used: readonly Used[]; doubtful: readonly Span[] };
  /** From now on it is not known of tickets that end then. */
  doubt(doubtful: readonly Span[]): void;
  /** These were used; it is not known of those that end in `doubtful`. */
  keep(used: readonly Used[], doubtful: readonly Span[]): void;
  /** Those that ended before now; it is not known of those that end in `doubtful`. */
  forget(now: number, doubtful: readonly Span[]): void;
}

/** Of tickets that end so much later than the one at hand, ms, it is said in advance that they may be used. */
const AHEAD = 2000;
/** How long used ones wait to be kept together, ms. */
const KEEP_AFTER = 2000;

/**
 * A ticket is good once, also beyond the end of the object. A crowd that comes back at once costs no row each before it is let
 * in: one says that tickets of this moment may be used, and a moment later the used ones are kept together. Only what comes after
 * a crash in between with a ticket from before it is sent back for another. What is in doubt are spans: after a while with a clock
 * that was far ahead nobody is sent back until that time has come.
 */
export class UsedTickets {
  readonly #store: TicketStore;
  readonly #after: (ms: number, work: () => void) => void;
  readonly #used: Map<string, number>;
  /** Of an earlier life of the object, or forgotten since. */
  #doubtful: readonly Span[];
  /** Of this one. */
  #doubted: Span | null = null;
  #unkept: Used[] = [];

  constructor(store: TicketStore, after: (ms: number, work: () => void) => void) {
    const { used, doubtful } = store.read();
    [this.#store, this.#after, this.#doubtful] = [store, after, doubtful];
    this.#used = new Map(used.map(({ id, until }) => [id, until]));
  }

  /** Uses it, where it is good. Where that cannot be kept in mind it is not used, and in doubt as after a crash. */
  use({ id, until }: Used, now: number): 'good' | 'used' | 'doubtful' {
    if (until <= now || this.#used.has(id)) return 'used';
    if (covers(this.#doubtful, until)) return 'doubtful';
    try {
      this.#foresee({ id, until }, now);
    } catch {
      return 'doubtful';
    }
    this.#used.set(id, until);
    return 'good';
  }

  forget(now: number): void {
    const over = [...this.#used].filter(([, until]) => until < now);
    if (over.length === 0) return;
    // Should the clock step back, they have not ended any more.
    const doubtful = over.reduce<readonly Span[]>(
      (spans, [, until]) => joined(spans, { since: until, until }),
      this.#doubtful,
    );
    this.#store.forget(now, besides(doubtful, this.#doubted));
    this.#doubtful = doubtful;
    for (const [id] of over) this.#used.delete(id);
  }

  /** That it was used is known also beyond the end of the object, or that it may have been. @throws what the storage throws */
  #foresee({ id, until }: Used, now: number): void {
    // By a clock so far ahead that after a crash everybody would be sent back for as long: a row of its own.
    if (until > now + TICKET_SECONDS * 1000 + AHEAD) {
      this.#store.keep([{ id, until }], besides(this.#doubtful, this.#doubted));
      return;
    }
    const known = this.#doubted ?? { since: now, until: 0 };
    if (until > known.until || until < known.since) {
      const doubted = { since: Math.min(known.since, until), until: Math.max(known.until, until + AHEAD) };
      this.#store.doubt(besides(this.#doubtful, doubted));
      this.#doubted = doubted;
    }
    this.#unkept.push({ id, until });
    if (this.#unkept.length === 1) this.#after(KEEP_AFTER, () => this.#keep());
  }

  #keep(): void {
    try {
      this.#store.keep(this.#unkept, this.#doubtful);
    } catch {
      // They are in doubt until it is done.
      this.#after(KEEP_AFTER, () => this.#keep());
      return;
    }
    [this.#unkept, this.#doubted] = [[], null];
  }
}

const besides = (spans: readonly Span[], more: Span | null): readonly Span[] =>
  more === null ? spans : joined(spans, more);

/** In the object's own storage. */
export class StoredTickets implements TicketStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('create table if not exists tickets (id text primary key, until integer not null)');
    sql.exec('create table if not exists doubts (one integer primary key check (one = 1), spans text not null)');
    // As it was before: one moment, until which all were in doubt.
    sql.exec('drop table if exists doubt');
  }

  read(): { used: Used[]; doubtful: Span[] } {
    const rows = this.#sql.exec('select id, until from tickets').toArray();
    const doubts = this.#sql.exec('select spans from doubts').toArray()[0];
    return {
      used: rows.map(({ id, until }) => ({ id: String(id), until: Number(until) })),
      doubtful: JSON.parse(String(doubts?.spans ?? '[]')) as Span[],
    };
  }

  doubt(doubtful: readonly Span[]): void {
    this.#sql.exec('insert or replace into doubts (one, spans) values (1, ?)', JSON.stringify(doubtful));
  }

  keep(used: readonly Used[], doubtful: readonly Span[]): void {
    const ids = JSON.stringify(used.map(({ id, until }) => [id, until]));
    this.#sql.exec('insert or ignore into tickets (id, until) select value ->> 0, value ->> 1 from json_each(?)', ids);
    this.doubt(doubtful);
  }

  forget(now: number, doubtful: readonly Span[]): void {
    this.#sql.exec('delete from tickets where until < ?', now);
    this.doubt(doubtful);
  }
}
