import { recordOf } from './record.ts';

// What is counted while requests are served, as one block of numbers: blocks of several isolates and times are added up.

/** Whence answers of cached routes came, as they are counted. */
export const OUTCOMES = ['memory', 'edge', 'redis', 'stale', 'miss', 'bypass'] as const;

/** What a block counts, by place. Times are sums in ms; `samples` are how often `sockets` was looked at. */
const COUNTED = [
  ...['requests', 'ms', 'clientErrors', 'serverErrors'],
  ...OUTCOMES,
  ...['queries', 'queryMs', 'slowQueries', 'redisTrips', 'redisMs', 'sockets', 'samples'],
] as const;

export type Counted = (typeof COUNTED)[number];
export type Counts = Float64Array;

/** Of which place of a block is which count. */
export const PLACE: Readonly<Record<Counted, number>> = recordOf(COUNTED, (_, place) => place);

/** Behind them stands a histogram of whole ms: 0 to 8 one by one, then eight steps for each doubling, then all the rest. */
const HISTOGRAM = COUNTED.length;
const DOUBLINGS = 13;
const BUCKETS = 9 + 8 * DOUBLINGS + 1;
/** The longest time that has a step of its own, ms. */
export const LONGEST = 8 * 2 ** DOUBLINGS;

export const newCounts = (): Counts => new Float64Array(HISTOGRAM + BUCKETS);

/** Whether it is a block of this edition: others are not to be added to one. */
export const isCounts = (value: unknown): value is Counts =>
  value instanceof Float64Array && value.length === HISTOGRAM + BUCKETS;

/** The bucket that a time falls into, ms. */
export function bucketOf(ms: number): number {
  if (!(ms >= 1)) return 0;
  if (ms > LONGEST) return BUCKETS - 1;
  const rest = Math.ceil(ms) - 1;
  if (rest < 8) return 1 + rest;
  const doubling = 31 - Math.clz32(rest);
  return 9 + (doubling - 3) * 8 + ((rest >> (doubling - 3)) & 7);
}

/** The longest time of a bucket, ms. */
export function boundOf(bucket: number): number {
  if (bucket <= 8) return bucket;
  if (bucket >= BUCKETS - 1) return Number.POSITIVE_INFINITY;
  const step = bucket - 9;
  return (9 + (step & 7)) << (step >> 3);
}

/** Counts one time. */
export function countTime(counts: Counts, ms: number): void {
  const place = HISTOGRAM + bucketOf(ms);
  counts[place] = (counts[place] ?? 0) + 1;
}

export function addTo(sum: Counts, counts: Counts): Counts {
  for (let place = 0; place < sum.length; place += 1) sum[place] = (sum[place] ?? 0) + (counts[place] ?? 0);
  return sum;
}

export const at = (counts: Counts, name: Counted): number => counts[PLACE[name]] ?? 0;

/** Answers of cached routes, each by whence it came. */
export const outcomesOf = (counts: Counts): Record<(typeof OUTCOMES)[number], number> =>
  recordOf(OUTCOMES, (name) => at(counts, name));

/**
 * The time within which this share of all was done, ms: the true one lies in the same bucket, so at most an eighth away.
 * Null of nothing. What took longer than the last step counts as that.
 */
export function quantile(counts: Counts, share: number): number | null {
  let total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) total += counts[HISTOGRAM + bucket] ?? 0;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(share * total));
  let before = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const here = counts[HISTOGRAM + bucket] ?? 0;
    if (before + here >= rank) {
      const [from, to] = [bucket === 0 ? 0 : boundOf(bucket - 1), Math.min(boundOf(bucket), LONGEST)];
      return to - from <= 1 ? to : from + ((to - from) * (rank - before)) / here;
    }
    before += here;
  }
  return LONGEST;
}

/** How many took at most so long, for bounds that end a bucket: 2, 4, 8, 16 … ms. */
export function within(counts: Counts, ms: number): number {
  let sum = 0;
  for (let bucket = 0; bucket < BUCKETS && boundOf(bucket) <= ms; bucket += 1) sum += counts[HISTOGRAM + bucket] ?? 0;
  return sum;
}
