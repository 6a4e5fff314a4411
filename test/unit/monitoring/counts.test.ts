import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addTo,
  boundOf,
  bucketOf,
  type Counts,
  countTime,
  LONGEST,
  newCounts,
  quantile,
  within,
} from '../../../src/core/counts.ts';

const times = fc.array(fc.oneof(fc.nat(30), fc.nat(1000), fc.nat(LONGEST)), { minLength: 1, maxLength: 200 });

const counted = (all: readonly number[]): Counts => {
  const counts = newCounts();
  for (const ms of all) countTime(counts, ms);
  return counts;
};

/** The exact one, by the same meaning of a share. */
const exact = (all: readonly number[], share: number): number =>
  all.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * all.length)) - 1] ?? 0;

test('buckets follow each other, each ends where its bound says, an eighth after the one before', () => {
  let last = 0;
  for (let ms = 0; ms <= LONGEST; ms += ms < 5000 ? 1 : 7) {
    const bucket = bucketOf(ms);
    expect(bucket).toBeGreaterThanOrEqual(last);
    expect(bucket).toBeLessThanOrEqual(last + 1);
    expect(ms).toBeLessThanOrEqual(boundOf(bucket));
    if (bucket > 0) expect(ms).toBeGreaterThan(boundOf(bucket - 1));
    if (bucket > 8) expect(boundOf(bucket) / boundOf(bucket - 1)).toBeLessThanOrEqual(1.125);
    last = bucket;
  }
  expect(bucketOf(LONGEST + 1)).toBe(last + 1);
  expect([bucketOf(-5), bucketOf(Number.NaN), bucketOf(1e12)]).toEqual([0, 0, last + 1]);
});

test('a quantile lies in the bucket of the exact one', () => {
  fc.assert(
    fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const found = quantile(counted(all), share) ?? Number.NaN;
      const bucket = bucketOf(exact(all, share));
      expect(found).toBeLessThanOrEqual(boundOf(bucket));
      expect(found).toBeGreaterThanOrEqual(bucket === 0 ? 0 : boundOf(bucket - 1));
    }),
  );
});

test('what isolates counted comes to the same in any order, and all at once', () => {
  fc.assert(
    fc.property(fc.array(times, { maxLength: 6 }), (isolates) => {
      const sum = (parts: readonly (readonly number[])[]): Counts =>
        parts.reduce((total, part) => addTo(total, counted(part)), newCounts());
      expect(sum(isolates)).toEqual(sum(isolates.toReversed()));
      expect(sum(isolates)).toEqual(counted(isolates.flat()));
    }),
  );
});

test('how many took so long is exact at the bounds that monitors are told', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 16 }), (all, doubling) => {
      const bound = 2 ** doubling;
      expect(within(counted(all), bound)).toBe(all.filter((ms) => ms <= bound).length);
    }),
  );
});

test('of nothing there is no quantile', () => {
  expect(quantile(newCounts(), 0.95)).toBeNull();
});
