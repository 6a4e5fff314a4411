import { expect, test } from 'vitest';
import { SEED } from '../../support/draws.ts';
import { stormHub } from './hub-storm.ts';

// A million steps of the room's core; see hub.property.test.ts.

const OWN_SEED = Number(process.env.HUB_SEED ?? SEED);

test('a million steps: nothing is lost, doubled, reordered or shown beyond the role', async () => {
  const total = { delivered: 0, crashes: 0, hibernations: 0 };
  for (let n = 0; n < 50; n += 1) {
    const report = await stormHub(OWN_SEED + n, 20_000).catch((error: unknown) => {
      throw new Error(`HUB_SEED=${OWN_SEED + n}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    total.delivered += report.delivered;
    total.crashes += report.crashes;
    total.hibernations += report.hibernations;
  }
  console.log(`from seed ${OWN_SEED}: ${JSON.stringify(total)}`);
  expect(total.delivered).toBeGreaterThan(1_000_000);
});
