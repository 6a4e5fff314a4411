import { chmod, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../local/migrate.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { bundleWorker } from './bundle.ts';

export const TEMPLATE = 'clientsplus_template';

declare module 'vitest' {
  export interface ProvidedContext {
    adminUrl: string;
    vars: Record<string, string>;
    bundle: string;
    /** What Postgres logs: by line when, whose process, which database, which SQLSTATE. */
    postgresLog: string;
    /** Whether this is the run that leaves nothing out. */
    thorough: boolean;
    /** Where the answers that tests produced are noted. */
    seen: string;
    /** For what workerd keeps: rooms, jobs, the Cache API. */
    scratch: string;
  }
}

const ROOM = 4 * 2 ** 30;

/** Nobody here speaks TLS to the world outside, and every workerd would be told anew whom else to trust: a third of what it costs to start one. */
delete process.env.NODE_EXTRA_CA_CERTS;

/** Whoever starts from here on compiles no module that another one has: the same hundreds are loaded by every process. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../.cache/compiled');

/** A folder that Postgres may enter too: it runs as another user when the tests run as root. */
async function makeFolder(parent: string): Promise<string> {
  const dir = await mkdtemp(join(parent, 'clientsplus-test-'));
  await chmod(dir, 0o755);
  return dir;
}

/**
 * Where a flush to disk takes no time, if there is such a place with room: workerd flushes with each message of a room. And where
 * files come and go for nothing: each of a hundred databases is six hundred of them, and on ext4 an eighth of a run went into finding
 * room for one among those that were deleted a moment ago.
 */
async function inMemory(): Promise<string> {
  const { bavail, bsize } = await statfs('/dev/shm').catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > ROOM ? '/dev/shm' : tmpdir();
}

async function startTemplate(dir: string, postgresLog: string): Promise<Stack> {
  const stack = await startStack({ dir, durable: false, database: TEMPLATE, fresh: true, postgresLog });
  await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
  return stack;
}

/** One Postgres with a migrated template and one bundle for all files; each file takes its own database and Redis. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = await inMemory();
  const [dir, scratch] = await Promise.all([makeFolder(parent), makeFolder(parent)]);
  const seen = join(dir, 'seen');
  await mkdir(seen);
  const postgresLog = join(dir, 'postgres.log');
  const [stack, bundle] = await Promise.all([
    startTemplate(join(dir, 'data'), postgresLog),
    bundleWorker(join(dir, 'bundle')),
  ]);
  project.provide('adminUrl', stack.adminUrl);
  project.provide('vars', stack.vars);
  project.provide('bundle', bundle);
  project.provide('postgresLog', postgresLog);
  project.provide('seen', seen);
  project.provide('scratch', scratch);
  project.provide('thorough', project.name === 'long');
  return async () => {
    await stack.stop();
    await Promise.all([dir, scratch].map((each) => rm(each, { recursive: true, force: true })));
  };
}
