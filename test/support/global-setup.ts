import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../local/migrate.ts';
import { startStack } from '../../local/stack.ts';
import { bundleWorker } from './bundle.ts';

export const TEMPLATE = 'clientsplus_template';

declare module 'vitest' {
  export interface ProvidedContext {
    adminUrl: string;
    vars: Record<string, string>;
    bundle: string;
    /** Whether this is the run that leaves nothing out. */
    thorough: boolean;
    /** Where the answers that tests produced are noted. */
    seen: string;
  }
}

/** One Postgres with a migrated template and one bundle for all files; each file takes its own database and Redis. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Postgres runs as another user when the tests run as root, so the folder must be one it may enter.
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-test-'));
  await chmod(dir, 0o755);
  const seen = join(dir, 'seen');
  await mkdir(seen);
  const [stack, bundle] = await Promise.all([
    startStack({ dir: join(dir, 'data'), durable: false, database: TEMPLATE, fresh: true }),
    bundleWorker(join(dir, 'bundle')),
  ]);
  await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
  project.provide('adminUrl', stack.adminUrl);
  project.provide('vars', stack.vars);
  project.provide('bundle', bundle);
  project.provide('seen', seen);
  project.provide('thorough', project.name === 'long');
  return async () => {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  };
}
