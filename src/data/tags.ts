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
  incarnation: string;
  /** The newest revision seen, in whichever incarnation: what the database has, it keeps. */
  newest: number;
  floor: number;
  /** When the youngest reading was made: each one brings the floor. */
  floorAt: number;
  tags: Map<string, Known>;
};

const MOST_COMPANIES = 2000;
const MOST_TAGS_PER_COMPANY = 500;

/** The hash that holds a company's epoch, head, floor, incarnation and tags. One hash, so it is lost whole or not at all. */
export const tagsKey = (environment: string, companyId: string): string => `v1:${environment}:log:${companyId}`;

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
 * an incarnation (of an earlier version) is nothing either, and the next announcement starts it over.
 */
export function readTagRow(answer: unknown, tags: readonly string[]): TagRow | null {
  if (!Array.isArray(answer) || answer.length !== tags.length + 4) throw new Error('shape');
  const [epoch, head, floor, incarnation, ...values] = answer as (string | null)[];
  if (typeof epoch !== 'string' || typeof incarnation !== 'string') return null;
  const numbers = values.map((value) => Number(value ?? 0));
  const row = { epoch, incarnation, head: Number(head), floor: Number(floor), values: numbers };
  // A tag that is absent from a known state was never touched since the state began; the floor covers what was before.
  if (![row.head, row.floor, ...row.values].every(Number.isSafeInteger)) throw new Error('shape');
  return row;
}

/**
 * What this isolate read from Redis lately, per company and tag, each with its own age and head. Bounded plain data.
 * A reading is used for at most `maxAge` ms counted from Redis, however often it was copied: that one number bounds
 * staleness everywhere.
 */
export class TagMemory {
  readonly #companies = new Map<string, Company>();

  /** The tags as of readings that are all younger than `maxAge`, or null. */
  fresh(companyId: string, tags: readonly string[], now: number, maxAge: number): FreshTags | null {
    const company = this.#companies.get(companyId);
    if (company === undefined) return null;
    let head = Number.MAX_SAFE_INTEGER;
    let at = company.floorAt;
    const values: number[] = [];
    for (const tag of tags) {
      const known = company.tags.get(tag);
      if (known === undefined || now - known.at > maxAge) return null;
      if (known.head < head) head = known.head;
      if (known.at < at) at = known.at;
      values.push(known.value);
    }
    if (now - at > maxAge) return null;
    return { epoch: company.epoch, incarnation: company.incarnation, head, floor: company.floor, values, at };
  }

  /** @param at when Redis was asked, ms: the start of the trip, so that a slow answer is not taken for a young one */
  learn(companyId: string, tags: readonly string[], row: TagRow, at: number): void {
    let company = this.#companies.get(companyId);
    if (company !== undefined && row.epoch < company.epoch) return;
    if (company?.epoch !== row.epoch || company.incarnation !== row.incarnation) {
      // Two lives of one epoch have no order but when they were read. The younger starts over, for its numbers may be
      // lower; the older is gone.
      if (company?.epoch === row.epoch && at < company.floorAt) return;
      if (company === undefined && this.#companies.size >= MOST_COMPANIES) this.#dropOldest();
      const newest = company?.epoch === row.epoch ? company.newest : 0;
      const { epoch, incarnation, floor } = row;
      company = { epoch, incarnation, newest, floor, floorAt: at, tags: new Map() };
      this.#companies.set(companyId, company);
    }
    if (row.head > company.newest) company.newest = row.head;
    // Two trips may answer out of order; floors and tags only rise.
    if (row.floor > company.floor) company.floor = row.floor;
    if (at > company.floorAt) company.floorAt = at;
    if (company.tags.size > MOST_TAGS_PER_COMPANY) company.tags.clear();
    for (const [i, tag] of tags.entries()) {
      const known = company.tags.get(tag);
      const value = row.values[i] ?? 0;
      if (known === undefined || row.head >= known.head) {
        company.tags.set(tag, {
          value: Math.max(value, known?.value ?? 0),
          head: row.head,
          at: Math.max(at, known?.at ?? 0),
        });
      }
    }
  }

  /** The newest revision this isolate has seen of a company, 0 when it has seen none. */
  newest(companyId: string): number {
    return this.#companies.get(companyId)?.newest ?? 0;
  }

  forget(companyId: string): void {
    this.#companies.delete(companyId);
  }

  #dropOldest(): void {
    const oldest = this.#companies.keys().next().value;
    if (oldest !== undefined) this.#companies.delete(oldest);
  }
}
