import { expect, test } from 'vitest';
import { stormHub } from './hub-storm.ts';

/** Another one each run; a failure prints the one it had. */
const SEED = Number(process.env.HUB_SEED ?? Date.now() % 1_000_000);

test.each([0, 1, 2, 3, 4].map((n) => SEED + n))(
  'nothing is lost, doubled, reordered or shown beyond the role (seed %i)',
  async (seed) => {
    const report = await stormHub(seed, 6000).catch((error: unknown) => {
      throw new Error(`HUB_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    expect(report.delivered).toBeGreaterThan(100);
  },
);
