import { expect, test } from 'vitest';
import { SEED } from '../../support/draws.ts';
import { stormHub } from './hub-storm.ts';

/** A failure prints the one it had; with `HUB_SEED` that alone is run again. */
const OWN_SEED = Number(process.env.HUB_SEED ?? SEED);

/** Those that notice a history which changes while a reader is caught up; not every one does. */
const NOTICED = [4, 7];

test.each([...NOTICED, ...[0, 1, 2].map((n) => OWN_SEED + n)])(
  'nothing is lost, doubled, reordered or shown beyond the role (seed %i)',
  async (seed) => {
    const report = await stormHub(seed, 6000).catch((error: unknown) => {
      throw new Error(`HUB_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    expect(report.delivered).toBeGreaterThan(100);
  },
);
