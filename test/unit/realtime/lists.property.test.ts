import { expect, test } from 'vitest';
import { stormLists } from './list-storm.ts';

/** Another one each run; a failure prints the one it had, and with `LISTS_SEED` it alone is run again. */
const SEED = Number(process.env.LISTS_SEED ?? Date.now() % 1_000_000);

/** One that once found a fault: a right that was lost while the log was walked was told with an early page alone. */
const FOUND = 388_049;
const SEEDS = process.env.LISTS_SEED === undefined ? [FOUND, SEED, SEED + 1] : [SEED];

test.each(SEEDS)('followed lists are what GET answers at each frame, for each role (seed %i)', async (seed) => {
  const report = await stormLists(seed, 4000).catch((error: unknown) => {
    throw new Error(`LISTS_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  expect(report.compared).toBeGreaterThan(300);
  expect(report.exact).toBeGreaterThan(30);
});
