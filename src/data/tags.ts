import { incarnationOf } from './pulse.ts';
import type { RedisStore } from './redis.ts';
import { shareOf } from './weighed.ts';

/** What one reading of a company's tag state said. `values` in the order of the tags asked for. */
export type TagRow = {
  epoch: string;
  incarnation: string;
  head: number;
  floor: number;
  values: readonly number[];
};

/** A reading that may still be used: everything an entry is judged by. `head` is the oldest among its parts. */
export type FreshTags = TagRow & { at: number };

type Known = { value: number; head: number; at: number };
type Company = {
  epoch: string;
  /** When anything was last seen of that epoch, ms. */
  epochAt: number;
  /** The newest revision seen, in a reading or a snapshot, own writes included: this isolate never goes back on it. */
  newest: number;
  /** Of the state that the readings are of; null: none is remembered. */
  incarnation: string | null;
  floor: number;
  /** When the youngest reading was made: each one brings the floor. */
  floorAt: number;
  tags: Map<string, Known>;
  bytes: number;
  /** When the reading was last renewed behind an answer, and the room last asked to look after Redis; ms. */
  renewedAt: number;
  suspectedAt: number;
};

const MOST_TAGS_PER_COMPANY = 500;
/** Heap of a company and of a tag beside its name, bytes (measured: bench/heap.ts). */
const COMPANY_BYTES = 1700;
const TAG_BYTES = 550;

/** A database that goes on under an older epoch (its clock was behind) is believed once the newer one is unseen so long, ms. */
const EPOCH_PATIENCE = 10_000;
/** A room is asked at most so often by one isolate, ms: a reading is also behind while its announcement is under way. */
const SUSPICION = 5000;

/** The hash that holds a company's epoch, head, floor, incarnation and tags. One hash, so it is lost whole or not at all. */
export const tagsKey = ({ key }: Pick<RedisStore, 'key'>, companyId: string): string => key('log', companyId);

/** The fields of one reading, in the order `readTagRow` expects. */
export const tagFields = (tags: readonly string[]): [string, ...string[]] => [
  'epoch',
  'head',
  'floor',
  'incarnation',
  ...tags.map((tag) => `t:${tag}`),
];

/**
 * Reads the answer of `HMGET`. Null when Redis knows nothing of the company, which means unknown, never 0; state without
 * an incarnation (of an earlier version) is nothing either, nor is a key that holds no hash, and the next announcement
 * starts it over.
 * @param era the life of Redis as a whole, which becomes part of the incarnation
 */
export function readTagRow(answer: unknown, tags: readonly string[], era: string): TagRow | null {
  if (answer === null) return null;
  if (!Array.isArray(answer) || answer.length !== tags.length + 4) throw new Error('shape');
  const [epoch, head, floor, incarnation, ...values] = answer as (string | null)[];
  if (typeof epoch !== 'string' || typeof incarnation !== 'string') return null;
  const numbers = values.map((value) => Number(value ?? 0));
  const row = {
    epoch,
    incarnation: incarnationOf(incarnation, era),
    head: Number(head),
    floor: Number(floor),
    values: numbers,
  };
  // A tag that is absent from a known state was never touched since the state began; the floor covers what was before.
  if (![row.head, row.floor, ...row.values].every(Number.isSafeInteger)) throw new Error('shape');
  return row;
}

/**
 * What this isolate read from Redis lately, per company and tag, each with its own age and head, and the newest revision
 * it has seen anywhere. Bounded plain data. A reading is used for at most `maxAge` ms counted from Redis, however often
 * it was copied: that one number bounds staleness everywhere. A reading from before what was seen is none.
 */
export class TagMemory {
  readonly #companies = new Map<string, Company>();
  readonly #most: number;
  #bytes = 0;

  constructor(mostBytes: number = shareOf('tags')) {
    this.#most = mostBytes;
  }

  /** The tags as of readings that are all younger than `maxAge`, or null. */
  fresh(companyId: string, tags: readonly string[], now: number, maxAge: number): FreshTags | null {
    const company = this.#companies.get(companyId);
    if (company === undefined || company.incarnation === null) return null;
    let head = Number.MAX_SAFE_INTEGER;
    let at = company.floorAt;
    const values: number[] = [];
    for (const tag of tags) {
      const known = company.tags.get(tag);
      if (known === undefined || isOld(known.at, now, maxAge)) return null;
      if (known.head < head) head = known.head;
      if (known.at < at) at = known.at;
      values.push(known.value);
    }
    if (isOld(at, now, maxAge) || head < company.newest) return null;
    return { epoch: company.epoch, incarnation: company.incarnation, head, floor: company.floor, values, at };
  }

  /** Whether a reading is not from before what this isolate has seen. One that is says that Redis is behind. */
  admits(companyId: string, { epoch, head }: Pick<TagRow, 'epoch' | 'head'>): boolean {
    const company = this.#companies.get(companyId);
    if (company === undefined) return true;
    return epoch === company.epoch ? head >= company.newest : epoch > company.epoch;
  }

  /** @param at when Redis was asked, ms: the start of the trip, so that a slow answer is not taken for a young one */
  learn(companyId: string, tags: readonly string[], row: TagRow, at: number): void {
    const company = this.#of(companyId, row.epoch, at);
    if (company === null) return;
    if (company.incarnation !== row.incarnation) {
      // Two lives of one epoch have no order but when they were read. The younger starts over, for its numbers may be
      // lower; the older is gone.
      if (company.incarnation !== null && at < company.floorAt) return;
      this.#drop(company);
      company.incarnation = row.incarnation;
      company.floor = row.floor;
      company.floorAt = at;
    }
    if (row.head > company.newest) company.newest = row.head;
    // Two trips may answer out of order; floors and tags only rise.
    if (row.floor > company.floor) company.floor = row.floor;
    if (at > company.floorAt) company.floorAt = at;
    if (company.tags.size > MOST_TAGS_PER_COMPANY) this.#clear(company);
    for (const [i, tag] of tags.entries()) {
      const known = company.tags.get(tag);
      const value = row.values[i] ?? 0;
      if (known === undefined) this.#grow(company, TAG_BYTES + tag.length);
      if (known === undefined || row.head >= known.head) {
        company.tags.set(tag, {
          value: Math.max(value, known?.value ?? 0),
          head: row.head,
          at: Math.max(at, known?.at ?? 0),
        });
      }
    }
    this.#shrink();
  }

  /** The primary database was seen at this revision. */
  see(companyId: string, epoch: string, revision: number, now: number): void {
    const company = this.#of(companyId, epoch, now, true);
    if (company !== null && revision > company.newest) company.newest = revision;
    this.#shrink();
  }

  /** Where this isolate has seen a company, if it has. */
  seen(companyId: string): { epoch: string; revision: number } | null {
    const company = this.#companies.get(companyId);
    return company === undefined ? null : { epoch: company.epoch, revision: company.newest };
  }

  /** The newest revision this isolate has seen of a company, 0 when it has seen none. */
  newest(companyId: string): number {
    return this.#companies.get(companyId)?.newest ?? 0;
  }

  /** Drops the readings of a company, not what it was seen at. */
  forget(companyId: string): void {
    const company = this.#companies.get(companyId);
    if (company !== undefined) this.#drop(company);
  }

  /** Whether a reading of `at` is to be renewed behind this answer: once it is `soon` ms old, by one at a time. */
  renews(companyId: string, at: number, now: number, soon: number): boolean {
    const company = this.#companies.get(companyId);
    if (company === undefined || now - at < soon || !isOld(company.renewedAt, now, soon)) return false;
    company.renewedAt = now;
    return true;
  }

  /** Whether the company's room is to be asked whether Redis is behind; not again for a while. */
  suspects(companyId: string, now: number): boolean {
    const company = this.#companies.get(companyId);
    if (company === undefined || !isOld(company.suspectedAt, now, SUSPICION)) return false;
    company.suspectedAt = now;
    return true;
  }

  /** The company as of this epoch, the most recently used from now on; null when the epoch is past. */
  #of(companyId: string, epoch: string, now: number, certain = false): Company | null {
    let company = this.#companies.get(companyId);
    if (company !== undefined) this.#companies.delete(companyId);
    const past = company !== undefined && epoch < company.epoch;
    if (company !== undefined && past && !(certain && isOld(company.epochAt, now, EPOCH_PATIENCE))) {
      this.#companies.set(companyId, company);
      return null;
    }
    if (company?.epoch !== epoch) {
      if (company !== undefined) this.#bytes -= company.bytes;
      const never = Number.NEGATIVE_INFINITY;
      const times = { epochAt: now, floorAt: never, renewedAt: never, suspectedAt: never };
      company = { ...times, epoch, newest: 0, incarnation: null, floor: 0, tags: new Map(), bytes: 0 };
      this.#grow(company, COMPANY_BYTES);
    }
    if (now > company.epochAt) company.epochAt = now;
    this.#companies.set(companyId, company);
    return company;
  }

  #drop(company: Company): void {
    company.incarnation = null;
    this.#clear(company);
  }

  #clear(company: Company): void {
    company.tags.clear();
    this.#grow(company, COMPANY_BYTES - company.bytes);
  }

  #grow(company: Company, bytes: number): void {
    company.bytes += bytes;
    this.#bytes += bytes;
  }

  #shrink(): void {
    for (const [oldest, { bytes }] of this.#companies) {
      if (this.#bytes <= this.#most) break;
      this.#companies.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

/** A time in the future is one of a clock that stepped back since: nothing says how old it is. */
const isOld = (at: number, now: number, maxAge: number): boolean => now - at > maxAge || at > now;
