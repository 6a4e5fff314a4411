import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { weightOfCatalogue, weightOfTimes } from '../../../src/calendar/weights.ts';
import { allShares } from '../../../src/data/weighed.ts';

// What an isolate remembers has one bound. What the weights are worth is measured by heap.long.test.ts.

const src = join(import.meta.dirname, '../../../src');

test('each map of an isolate has its share of one bound, which leaves room below 48 MiB', async () => {
  expect(allShares()).toBeLessThanOrEqual(44 * 1024 * 1024);
  const files = (await readdir(src, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const made = await Promise.all(
    files.map(async (name) => [
      ...(await readFile(join(src, name), 'utf8')).matchAll(/new WeighedMap[^(]*\(([^)]*)\)/g),
    ]),
  );
  const bounds = made.flat().map(([, bound]) => bound);
  expect(bounds.length).toBeGreaterThan(10);
  // The tiers of tests are smaller.
  for (const bound of bounds) expect(bound).toMatch(/^(shareOf\('\w+'|mostBytes)$/);
});

test('a calendar weighs what hangs on it: terms, hours and what is busy', () => {
  const service = { name: 'Cut', isActive: true, durationMinutes: 30, bufferBeforeMinutes: 0, bufferAfterMinutes: 0 };
  const more = { processing: [], requires: [], price: null, taxes: [], leadTimeMinutes: null, horizonDays: null };
  const of = (terms: number) =>
    weightOfCatalogue({
      branch: null,
      services: new Map([['s', { ...service, ...more, id: 's', staff: Array(terms).fill({ staffId: 'x' }) }]]),
      staff: new Map(),
      resources: [],
      timeOff: new Map(),
    });
  expect(of(500) - of(0)).toBeGreaterThan(100_000);
  expect(weightOfTimes(new Map([['x', Array(10_000).fill(0)]]))).toBeGreaterThan(80_000);
});
