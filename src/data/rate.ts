import type { RedisStore } from './redis.ts';

/** The windows of the rate limit, ms (fixed windows, contract-details A13). */
export const WINDOW = 60_000;

/** `bounded`: this isolate has given the window's key in Redis an end. */
type Count = { window: number; counted: number; pending: number; bounded: boolean };

const MOST_COMPANIES = 5000;

/** The key of a company's count in one window. */
export const rateKey = ({ key }: Pick<RedisStore, 'key'>, companyId: string, window: number): string =>
  key('rate', companyId, window);

/**
 * Whose count a caller adds to before it is known whose: every trip must write, for only a Redis that takes writes is
 * believed. A made-up key must not use up a company's limit, or leave a key behind for every company it makes up.
 */
export const NOBODY_YET = 'unproven';

/**
 * Counts requests per company. Redis holds the truth; between two trips to it this isolate counts on its own and adds
 * what is pending with the next trip, so a request that needs no Redis for its answer needs none for its limit.
 */
export class RateCounter {
  readonly #companies = new Map<string, Count>();

  /** Adds a request's weight and answers how many units the company has used in this window, as far as known. */
  add(companyId: string, weight: number, now: number): number {
    const count = this.#count(companyId, now);
    count.pending += weight;
    return count.counted + count.pending;
  }

  /** Takes what is pending, to be added in Redis with this trip; `bound` says that the key is to be given an end, too. */
  take(companyId: string, now: number): { window: number; amount: number; bound: boolean } {
    const count = this.#count(companyId, now);
    const taken = { window: count.window, amount: count.pending, bound: !count.bounded };
    count.counted += count.pending;
    count.pending = 0;
    return taken;
  }

  /** What Redis counts now, over all isolates. It took the end along, where it was asked to. */
  learn(companyId: string, window: number, counted: number): void {
    const count = this.#companies.get(companyId);
    if (count === undefined || count.window !== window) return;
    count.bounded = true;
    if (counted > count.counted) count.counted = counted;
  }

  #count(companyId: string, now: number): Count {
    const window = Math.floor(now / WINDOW);
    let count = this.#companies.get(companyId);
    if (count === undefined || count.window !== window) {
      if (count === undefined && this.#companies.size >= MOST_COMPANIES) this.#companies.clear();
      count = { window, counted: 0, pending: 0, bounded: false };
      this.#companies.set(companyId, count);
    }
    return count;
  }
}
