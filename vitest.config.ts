import { defineConfig } from 'vitest/config';

// Three workers on two cores: outages and limits are waited for, and others run meanwhile.
// Unit tests need nothing; the others share one Postgres and one bundle (test/support), and most of them a Worker per process.
const stack = {
  globalSetup: ['test/support/global-setup.ts'],
  setupFiles: ['test/support/setup.ts'],
  pool: 'forks' as const,
  // Files share what they import and the compiled contract; nothing in it belongs to one of them.
  isolate: false,
  // Node runs this code as it is: to have it transformed, a module at a time by another process, costs seconds a worker.
  experimental: { viteModuleRunner: false, nodeLoader: false },
};
const long = '{test,client/test}/**/*.long.test.ts';
/** What multiplies routes by something else, of which `npm test` does a share (`shareOf` in test/support/paths.ts). */
const sampled = [
  'test/database/log/{concurrency,snapshot}.test.ts',
  'test/unit/billing/totals.property.test.ts',
  'test/unit/calendar/availability.property.test.ts',
  'test/unit/realtime/lists.property.test.ts',
  'test/worker/cache/{cached-equals-uncached,freshness,trips}.test.ts',
  'test/worker/contract/{conventions,openapi,registry,registry-errors,registry-roles}.test.ts',
  'test/worker/clients/erased-everywhere.test.ts',
  'test/worker/faults/{outcomes,redis-away}.test.ts',
  'test/worker/realtime/lists.test.ts',
  'test/worker/tenants/isolation.test.ts',
];

/** `npm test` runs all but what is long by nature; that is `npm run test:long`. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/unseen.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'client/test/unit/**/*.test.ts'],
          exclude: [long],
          setupFiles: ['test/support/draws.ts'],
          isolate: false,
          maxWorkers: 3,
          provide: { thorough: false },
          // Properties work for seconds, on a machine that others use for longer.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...stack,
          name: 'stack',
          include: ['test/database/**/*.test.ts', 'test/worker/**/*.test.ts', 'client/test/worker/**/*.test.ts'],
          exclude: [long],
          maxWorkers: 3,
          // On a machine that others use as well, everything takes several times as long.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...stack,
          name: 'browser',
          include: ['client/test/browser/**/*.test.ts'],
          maxWorkers: 1,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          ...stack,
          name: 'long',
          include: [long, ...sampled],
          // One at a time: what is measured here must not meet another test's load.
          maxWorkers: 1,
          testTimeout: 20 * 60_000,
          hookTimeout: 5 * 60_000,
        },
      },
    ],
  },
});
