import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../../local/migrate.ts';
import { startStack } from '../../../local/stack.ts';
import { outcomes } from '../../storm/outcomes.ts';
import { outcomesSummary, upheld } from '../../storm/outcomes-report.ts';

test('backends ended in the middle of their COMMIT, and all at once: nobody is told a lie, nothing is left behind', async () => {
  // A stack of its own: only a Postgres that flushes its commits can be ended in the middle of one.
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-outcomes-'));
  await chmod(dir, 0o755);
  const stack = await startStack({ dir: join(dir, 'data'), durable: true, fresh: true });
  try {
    await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
    const { neon, vars, adminUrl } = stack;
    const ground = { neon, vars, adminUrl, bundle: inject('bundle'), dir: join(dir, 'workers') };
    const found = await outcomes(ground, { terminations: 30, purges: 2, seed: 1 });
    expect(upheld(found), outcomesSummary(found)).toBe(true);
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
