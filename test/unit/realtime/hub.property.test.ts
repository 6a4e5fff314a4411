import { expect, test } from 'vitest';
import { SEED } from '../../support/draws.ts';
import { stormHub } from './hub-storm.ts';

/** A failure prints the one it had; with `HUB_SEED` that alone is run again. */
const OWN_SEED = Number(process.env.HUB_SEED ?? SEED);

/** Those that notice a history which changes while a reader is caught up; not every one does. */
const NOTICED = [4, 7];

const SEEDS = [0, 1, 2].map((n) => OWN_SEED + n);

async function storm(seed: number, isTorn: boolean): Promise<void> {
  const report = await stormHub(seed, 6000, isTorn).catch((error: unknown) => {
    throw new Error(`HUB_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  expect(report.delivered).toBeGreaterThan(100);
}

test.each([...NOTICED, ...SEEDS])('nothing is lost, doubled, reordered or shown beyond the role (seed %i)', (seed) =>
  storm(seed, false),
);

test.each(SEEDS)('nor where what was sent cannot always be kept (seed %i)', (seed) => storm(seed, true));
