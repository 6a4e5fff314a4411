import { expect, test } from 'vitest';
import { SEED } from '../../support/draws.ts';
import { stormLists } from './list-storm.ts';

const OWN_SEED = Number(process.env.LISTS_SEED ?? SEED);
const ROUNDS = 25;

test(`100,000 changes and more: every list is what GET answers at each frame (from seed ${OWN_SEED})`, async () => {
  const sum = { changes: 0, compared: 0, exact: 0, changed: 0 };
  for (let seed = OWN_SEED; seed < OWN_SEED + ROUNDS; seed += 1) {
    const report = await stormLists(seed, 5000).catch((error: unknown) => {
      throw new Error(`LISTS_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    for (const name of ['changes', 'compared', 'exact', 'changed'] as const) sum[name] += report[name];
  }
  console.log(JSON.stringify({ seed: OWN_SEED, ...sum }));
  expect(sum.changes).toBeGreaterThan(100_000);
  expect(sum.compared).toBeGreaterThan(20_000);
});
