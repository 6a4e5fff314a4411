import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../local/migrate.ts';
import type { NeonBridge } from '../local/neon.ts';
import { startStack } from '../local/stack.ts';
import type { UpstashBridge } from '../local/upstash.ts';
import { Api, signUp, type Tenant } from '../test/support/api.ts';
import { bundleWorker } from '../test/support/bundle.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from '../test/support/worker.ts';
import { workerdPids } from './workerd.ts';

/** A Worker under measurement. */
export type BenchWorker = RunningWorker & {
  /** The workerd process that runs it; null where /proc does not tell. */
  pid: number | null;
};

/** Postgres, Redis, their bridges and a migrated database, with the bundle of production beside them. */
export type Bench = {
  neon: NeonBridge;
  upstash: UpstashBridge;
  /** Of the database, as the server's administrator. */
  adminUrl: string;
  /** Settings of the Worker. */
  vars: Readonly<Record<string, string>>;
  bundle: string;
  /** Scratch folder, gone after `close`. */
  dir: string;
  start(
    vars?: Record<string, string>,
    more?: Pick<WorkerOptions, 'inspectorPort' | 'port' | 'persist'>,
  ): Promise<BenchWorker>;
  /** Signs up a company and creates `clients` clients. */
  company(worker: RunningWorker, clients: number): Promise<Tenant>;
  close(): Promise<void>;
};

/** So that no limit is what a benchmark measures; they are counted and sent all the same. */
export const LIMITS = { RATE_LIMIT_PER_MINUTE: '1000000000', SIGNUP_LIMIT: '1000000', LOGIN_LIMIT: '1000000' };

export async function openBench(): Promise<Bench> {
  // Postgres runs as another user when this runs as root, so the folder must be one it may enter.
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-bench-'));
  await chmod(dir, 0o755);
  const [stack, bundle] = await Promise.all([
    startStack({ dir: join(dir, 'data'), fresh: true, durable: false }),
    bundleWorker(join(dir, 'bundle')),
  ]);
  await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
  const workers = new Set<RunningWorker>();
  return {
    neon: stack.neon,
    upstash: stack.upstash,
    adminUrl: stack.adminUrl,
    vars: stack.vars,
    bundle,
    dir,
    async start(vars = {}, more = {}) {
      const worker = await withPid(() => startWorker({ bundle, vars: { ...stack.vars, ...LIMITS, ...vars }, ...more }));
      workers.add(worker);
      return {
        ...worker,
        async stop() {
          workers.delete(worker);
          await worker.stop();
        },
      };
    },
    async company(worker, clients) {
      const tenant = await signUp(new Api(worker.url));
      for (let index = 0; index < clients; index++) {
        const created = await tenant.api.post('/clients', clientNumber(index));
        if (created.status !== 201) throw new Error(`creating a client answered ${created.status}: ${created.text}`);
      }
      return tenant;
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await stack.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A client as a salon would have it; the same number gives the same client. */
export function clientNumber(index: number): Record<string, unknown> {
  return {
    firstName: `Vorname ${index}`,
    lastName: `Nachname ${index}`,
    email: `client-${index}@example.com`,
    tags: ['stammkunde'],
    notes: 'Kommt am liebsten vormittags.',
  };
}

/** Starts one worker and finds its process: the one workerd that was not there before. Workers start one by one. */
export async function withPid<W extends object>(start: () => Promise<W>): Promise<W & { pid: number | null }> {
  const before = new Set(await workerdPids());
  const worker = await start();
  const pid = (await workerdPids()).find((each) => !before.has(each)) ?? null;
  return { ...worker, pid };
}
