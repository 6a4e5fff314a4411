import { afterAll, test } from 'vitest';
import type { RunningWorker } from './worker.ts';
import { openWorld, type World } from './world.ts';

/** What suites share stays as it is: no faults, no settings of their own, and companies of their own. */
export type SharedWorld = Omit<World, 'close'>;

/** Of the shared Worker: no suite needs more in which a caller is unknown. */
const ISOLATES = 4;

let shared: Promise<World> | null = null;

/**
 * Without the Cache API, which Miniflare keeps on disk: to put one answer there costs twice what it cost to compute. Suites of
 * the cache have Worlds of their own.
 */
const SETTINGS = { LOGIN_LIMIT: '1000', EDGE_CACHE: 'off' };

/**
 * The World of this process, its Worker long warm: for suites that change nothing but companies of their own. Whatever they
 * set at the bridges they set back. Workers that a suite starts beside it end with the suite.
 */
export async function sharedWorld(): Promise<SharedWorld> {
  shared ??= openWorld(SETTINGS, ISOLATES);
  const world = await shared;
  const others: RunningWorker[] = [];
  afterAll(async () => {
    world.neon.setHooks({ onRequest: null, afterCommit: null });
    await Promise.all(others.map((other) => other.stop()));
  });
  return {
    ...world,
    async another(vars) {
      const other = await world.another(vars);
      others.push(other);
      return other;
    },
  };
}

/** A World that is this suite's alone: for settings, outages, and whatever counts what all do. */
export async function ownWorld(vars: Record<string, string> = {}, isolates = 1, keepPlans?: boolean): Promise<World> {
  const world = await openWorld(vars, isolates, keepPlans);
  afterAll(() => world.close());
  return world;
}

const inProcess = test.extend(
  'sharedWorldEnds',
  { scope: 'worker' },
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures this one needs
  ({}, { onCleanup }) => onCleanup(async () => (await shared)?.close()),
);

/** For the set-up of every suite: the shared World ends with the last of them. */
export const endSharedWorld = (): void => inProcess.beforeAll(({ sharedWorldEnds }) => sharedWorldEnds);
