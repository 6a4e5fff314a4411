import { addTo, type Counts, isCounts, newCounts, PLACE } from '../core/counts.ts';
import type { Point, Slot, Slow } from '../data/monitor.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Steps that are kept, and for how long, ms. 0: everything, for ever. */
const KEPT = [
  { step: 10_000, lifetime: 90 * MINUTE },
  { step: MINUTE, lifetime: 48 * HOUR },
  { step: HOUR, lifetime: 90 * 24 * HOUR },
  { step: 0, lifetime: Number.POSITIVE_INFINITY },
] as const;
export type Step = (typeof KEPT)[number]['step'];

/** The step that tells a time of this length, ms; the shortest that reaches so far back. */
export const stepFor = (age: number, span: number): Exclude<Step, 0> =>
  age < 80 * MINUTE && span <= HOUR ? 10_000 : age < 47 * HOUR ? MINUTE : HOUR;

/** What comes later than this, or bears a time that is still to come, is nobody's count of now, ms. */
const LATEST = HOUR;
const AHEAD = MINUTE;
/** Rows of slow calls that an answer names. */
const MOST_SLOW = 20;

const TABLES = `create table if not exists counts (step integer not null, at integer not null, block blob not null, primary key (step, at)) without rowid;
  create table if not exists slow (at integer not null, name text not null, count integer not null, longest integer not null, primary key (at, name)) without rowid`;

/**
 * The monitor's counts in its SQLite, and what is not written there yet: rows are written together, seconds after they came, so
 * that a deployment of many isolates costs a few rows at a time. Synchronous, as that is.
 */
export class CountStore {
  readonly #sql: SqlStorage;
  /** By `step:at`. */
  #waiting = new Map<string, { step: Step; at: number; counts: Counts }>();
  #slow = new Map<string, Slow & { at: number }>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  get isWritten(): boolean {
    return this.#waiting.size === 0;
  }

  add(slots: readonly Slot[], now: number): void {
    for (const { at, counts, slow } of slots) {
      if (!isCounts(counts) || at < now - LATEST || at > now + AHEAD) continue;
      this.#add(at, counts);
      for (const each of slow) this.#addSlow(floor(at, MINUTE), each);
    }
  }

  /** How many sockets there are, for the histories. */
  sample(sockets: number, now: number): void {
    const counts = newCounts();
    counts[PLACE.sockets] = sockets;
    counts[PLACE.samples] = 1;
    this.#add(now, counts);
  }

  write(): void {
    for (const { step, at, counts } of this.#waiting.values())
      this.#sql.exec(
        'insert or replace into counts (step, at, block) values (?, ?, ?)',
        step,
        at,
        addTo(this.#block(step, at), counts).buffer as ArrayBuffer,
      );
    for (const { at, name, count, longest } of this.#slow.values())
      this.#sql.exec(
        `insert into slow (at, name, count, longest) values (?, ?, ?, ?)
          on conflict (at, name) do update set count = count + excluded.count, longest = max(longest, excluded.longest)`,
        at,
        name,
        count,
        longest,
      );
    this.#waiting = new Map();
    this.#slow = new Map();
  }

  /** The steps that began from `from` on and before `to`, ms. */
  points(step: Step, from: number, to: number): Point[] {
    this.write();
    return this.#sql
      .exec('select at, block from counts where step = ? and at >= ? and at < ? order by at', step, from, to)
      .toArray()
      .flatMap(({ at, block }) => {
        const counts = readBlock(block);
        return counts === null ? [] : [{ at: Number(at), counts }];
      });
  }

  /** The slow calls of these minutes, those that took longest in all first. */
  slowest(from: number, to: number): Slow[] {
    this.write();
    return this.#sql
      .exec(
        `select name, sum(count) as count, max(longest) as longest from slow where at >= ? and at < ?
          group by name order by max(longest) desc, name limit ?`,
        floor(from, MINUTE),
        to,
        MOST_SLOW,
      )
      .toArray()
      .map(({ name, count, longest }) => ({
        ...{ name: String(name), count: Number(count), longest: Number(longest) },
      }));
  }

  /** Since when anything is kept of this step, ms; null of nothing. */
  since(step: Step): number | null {
    const { at } = this.#sql.exec('select min(at) as at from counts where step = ?', step).one();
    return at === null ? null : Number(at);
  }

  /** Drops what has been kept long enough. */
  forget(now: number): void {
    for (const { step, lifetime } of KEPT)
      if (Number.isFinite(lifetime))
        this.#sql.exec('delete from counts where step = ? and at < ?', step, now - lifetime);
    this.#sql.exec('delete from slow where at < ?', now - 25 * HOUR);
  }

  #add(at: number, counts: Counts): void {
    for (const { step } of KEPT) {
      const begins = step === 0 ? 0 : floor(at, step);
      const key = `${step}:${begins}`;
      const known = this.#waiting.get(key);
      if (known === undefined) this.#waiting.set(key, { step, at: begins, counts: counts.slice() });
      else addTo(known.counts, counts);
    }
  }

  #addSlow(at: number, { name, count, longest }: Slow): void {
    const key = `${at}:${name}`;
    const known = this.#slow.get(key);
    this.#slow.set(key, {
      ...{ at, name },
      count: (known?.count ?? 0) + count,
      longest: Math.max(known?.longest ?? 0, longest),
    });
  }

  #block(step: Step, at: number): Counts {
    const row = this.#sql.exec('select block from counts where step = ? and at = ?', step, at).toArray()[0];
    return (row === undefined ? null : readBlock(row.block)) ?? newCounts();
  }
}

/** Null of another edition's: it is not to be added to. */
function readBlock(block: unknown): Counts | null {
  if (!(block instanceof ArrayBuffer) || block.byteLength % 8 !== 0) return null;
  const counts = new Float64Array(block);
  return isCounts(counts) ? counts : null;
}

export const floor = (at: number, step: number): number => at - (((at % step) + step) % step);
