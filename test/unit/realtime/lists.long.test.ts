import { expect, test } from 'vitest';
import { stormLists } from './list-storm.ts';

const SEED = Number(process.env.LISTS_SEED ?? Date.now() % 1_000_000);
const ROUNDS = 25;

test(`100,000 changes and more: every list is what GET answers at each frame (from seed ${SEED})`, async () => {
  const sum = { changes: 0, compared: 0, exact: 0, changed: 0 };
  for (let seed = SEED; seed < SEED + ROUNDS; seed += 1) {
    const report = await stormLists(seed, 5000).catch((error: unknown) => {
      throw new Error(`LISTS_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    for (const name of ['changes', 'compared', 'exact', 'changed'] as const) sum[name] += report[name];
  }
  console.log(JSON.stringify({ seed: SEED, ...sum }));
  expect(sum.changes).toBeGreaterThan(100_000);
  expect(sum.compared).toBeGreaterThan(20_000);
});
