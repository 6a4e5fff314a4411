import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { copyDatabase, dropDatabase } from '../../local/databases.ts';
import { type NeonBridge, startNeonBridge } from '../../local/neon.ts';
import { startRedis } from '../../local/redis.ts';
import { RedisClient } from '../../local/redis-client.ts';
import { withDatabase } from '../../local/roles.ts';
import { startUpstashBridge, type UpstashBridge } from '../../local/upstash.ts';
import { windowOf } from '../../src/account/sign-in/counts.ts';
import { Api } from './api.ts';
import { type RunningWorker, startWorker } from './worker.ts';

const TEMPLATE = 'clientsplus_template';

/**
 * A database and a Redis of a file's own, bridges of its own (so that faults and counts are its own), and a Worker on
 * them. One Redis for all would be one thread for all, and slow down with the keys of every file.
 */
export type World = {
  vars: Record<string, string>;
  redisPort: number;
  /** TCP URL of the database for its administrator. */
  adminUrl: string;
  neon: NeonBridge;
  upstash: UpstashBridge;
  worker: RunningWorker;
  api: Api;
  /** Other isolates of the Worker, with the same rooms: they know nothing yet of what they were not asked. */
  elsewhere: readonly string[];
  /** Runs SQL as the administrator; `role` switches first (`cp_owner`, `cp_app` …). */
  sql<R extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[], role?: string): Promise<R[]>;
  /** Another Worker on the same database and Redis, with settings and rooms of its own. */
  another(vars?: Record<string, string>): Promise<RunningWorker>;
  close(): Promise<void>;
};

export type Stack = Omit<World, 'worker' | 'api' | 'elsewhere' | 'another'>;

/** A name whose windows of the limits on sign-in have just begun: what a suite counts, it counts in one. */
function newName(): string {
  for (;;) {
    const name = `t_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
    if ([900, 3600].every((seconds) => windowOf(name, seconds, Date.now()).left > 600)) return name;
  }
}

/**
 * The database alone, for suites that need no Worker.
 * @param keepPlans whether its bridge keeps the plans of functions, which the hosted proxy does not; in the long run none does
 */
export async function openStack(keepPlans = true): Promise<Stack> {
  const admin = inject('adminUrl');
  const name = newName();
  await copyDatabase(admin, name, TEMPLATE, async () => undefined);
  const url = new URL(admin);
  const redis = await startRedis();
  const [neon, upstash] = await Promise.all([
    startNeonBridge({
      ...{ postgresHost: '127.0.0.1', postgresPort: Number(url.port), isApart: isFollowing },
      keepPlans: keepPlans && !inject('thorough'),
    }),
    startUpstashBridge({ redisPort: redis.port, token: 'test', isApart: isWatching }),
  ]);
  await beginEra(redis.port, name);
  const adminUrl = withDatabase(admin, name);
  const pool = new pg.Pool({ connectionString: adminUrl, max: 4 });
  // Of a client that was released for good the pool does not wait for its end; dropping the database would end it with an error.
  const ends: Promise<void>[] = [];
  pool.on('connect', (client) => ends.push(new Promise((resolve) => client.once('end', () => resolve()))));
  const shared = inject('vars');
  const moved = (text: string | undefined): string => {
    const changed = new URL(text ?? '');
    changed.port = String(neon.port);
    changed.pathname = `/${name}`;
    return changed.href;
  };
  const vars: Record<string, string> = {
    ...shared,
    DATABASE_URL: moved(shared.DATABASE_URL),
    DATABASE_AUTH_URL: moved(shared.DATABASE_AUTH_URL),
    DATABASE_JOBS_URL: moved(shared.DATABASE_JOBS_URL),
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${upstash.port}`,
    UPSTASH_REDIS_REST_TOKEN: 'test',
    ENVIRONMENT: name,
    // A busy machine is no outage; suites of outages set their own.
    REDIS_DEADLINE_MS: '3000',
    RATE_LIMIT_PER_MINUTE: '1000000',
    SIGNUP_LIMIT: '1000000',
    WEBHOOKS_PER_COMPANY: '10000',
  };
  return {
    vars,
    redisPort: redis.port,
    adminUrl,
    neon,
    upstash,
    async sql<R extends pg.QueryResultRow>(text: string, values: unknown[] = [], role?: string) {
      const client = await pool.connect();
      // Whose role could not be given back is not used again. To connect anew costs more than most of what is asked.
      let isSpent = role !== undefined;
      try {
        if (role !== undefined) await client.query(`set role ${role}`);
        const { rows } = await client.query<R>(text, values);
        if (role !== undefined) await client.query('reset role; reset all');
        isSpent = false;
        return rows;
      } finally {
        client.release(isSpent);
      }
    },
    async close() {
      await pool.end();
      await Promise.all(ends);
      await Promise.all([neon.stop(), upstash.stop()]);
      await redis.stop();
      await dropDatabase(admin, name);
    },
  };
}

/** A Redis whose watch has been there a moment ago, as every Redis' but a new one's. */
async function beginEra(port: number, environment: string): Promise<void> {
  const client = new RedisClient(`redis://127.0.0.1:${port}`);
  await client.send([['MSET', `v1:${environment}:era`, randomUUID(), `v1:${environment}:beat`, String(Date.now())]]);
  client.stop();
}

/** What the dispatcher asks of Postgres by itself, whenever a company with webhooks goes on, and the monitor of alerts. */
const isFollowing = (body: string): boolean => /\/\* dispatcher \*\/|app\.alert_rules\(/.test(body);

/** What the watch and the rooms ask of Redis by themselves, now and then: the suites count what requests cost. */
function isWatching(commands: readonly (readonly string[])[]): boolean {
  const [command = [], ...others] = commands;
  const [name = '', key = ''] = command;
  if (others.length > 0) return false;
  if (name.toUpperCase() === 'HMGET') return /:log:/.test(key) && command.length === 4;
  return /:(era|beat|mark:[^:]+)$/.test(key);
}

/**
 * @param vars settings that differ from the defaults of tests
 * @param isolates of its Worker, all but the first in `elsewhere`
 * @param keepPlans see `openStack`
 */
export async function openWorld(vars: Record<string, string> = {}, isolates = 1, keepPlans?: boolean): Promise<World> {
  const database = await openStack(keepPlans);
  const settings = { ...database.vars, ...vars };
  const workers: RunningWorker[] = [];
  const start = async (more: Record<string, string> = {}, of = 1): Promise<RunningWorker> => {
    const worker = await startWorker({ bundle: inject('bundle'), vars: { ...settings, ...more }, isolates: of });
    workers.push(worker);
    return worker;
  };
  const worker = await start({}, isolates);
  return {
    ...database,
    vars: settings,
    worker,
    api: new Api(worker.url),
    elsewhere: worker.urls.slice(1),
    another: (more) => start(more),
    async close() {
      await Promise.all(workers.map((each) => each.stop()));
      await database.close();
    },
  };
}
