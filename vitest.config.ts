import { defineConfig } from 'vitest/config';

// Unit tests need nothing; the others share one Postgres, one Redis and one bundle of the Worker (test/support).
export default defineConfig({
  test: {
    reporters: ['default', './test/support/unseen.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'stack',
          include: ['test/database/**/*.test.ts', 'test/worker/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          setupFiles: ['test/support/setup.ts'],
          pool: 'forks',
          // Files share what they import and the compiled contract; nothing in it belongs to one of them.
          isolate: false,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
