import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { copyDatabase, dropDatabase, ensureDatabase } from './databases.ts';
import { errorText, StackError } from './errors.ts';
import { folderName, holdsCompanies, prepareExternal } from './external.ts';
import { type NeonBridge, startNeonBridge } from './neon.ts';
import { endOrphan, startPostgres } from './postgres.ts';
import { makeFolder } from './postgres-files.ts';
import type { ProcessId } from './processes.ts';
import { startRedis } from './redis.ts';
import { pingRedis } from './redis-client.ts';
import { setUpRoles, withDatabase } from './roles.ts';
import { claimFolder } from './run-file.ts';
import { loadSecrets, makeSecrets, type Secrets } from './secrets.ts';
import { startUpstashBridge, type UpstashBridge } from './upstash.ts';

export interface StackOptions {
  /** Data folder; made when missing. One living process may use it. */
  dir: string;
  /** Deletes the folder's data first (never that of a server given by URL). */
  fresh?: boolean;
  /**
   * Admin URL of a running Postgres (superuser or CREATEROLE) naming the database to use; none is started then. Only what
   * this data folder made there is used.
   */
  postgresUrl?: string;
  /** `redis://` URL of a running Redis; none is started then. */
  redisUrl?: string;
  /** Database of the Worker; made when missing. Default: the one `postgresUrl` names, else `clientsplus`. */
  database?: string;
  /** false trades crash safety for speed (tests). Default true. */
  durable?: boolean;
  /** File for the log of a Postgres that is started here; absent: nowhere. */
  postgresLog?: string;
  /** Told when a part ends that nobody stopped. */
  onLoss?: (what: string) => void;
  /** No lines about what is going on. Default true. */
  quiet?: boolean;
}

export interface Stack {
  /** The Worker's settings for the stack's own database. */
  vars: Record<string, string>;
  /** The Worker's settings for another database of the same server. */
  varsFor(database: string): Record<string, string>;
  /** Direct TCP URL of the stack's own database for its administrator. */
  adminUrl: string;
  dir: string;
  neon: NeonBridge;
  upstash: UpstashBridge;
  /** Whether the stack's own (migrated) database holds a company. */
  holdsCompanies(): Promise<boolean>;
  /** Copies a (migrated) database with its grants; resolves to the Worker's settings for the copy. */
  createDatabase(name: string, template: string): Promise<Record<string, string>>;
  dropDatabase(name: string): Promise<void>;
  /** Notes a process group (by its leader) that the next run in this folder must end should this one be killed. */
  recordGroup(leader: ProcessId): Promise<void>;
  /** Lets a start in the same folder wait instead of failing, when something else is to be stopped before `stop`. */
  announceStop(): Promise<void>;
  /** Stops everything that was started; harmless when called twice. */
  stop(): Promise<void>;
}

type Stop = () => Promise<void>;

/** Names inside the data folder that `fresh` deletes. */
const dataNames = ['postgres', 'worker', 'wrangler', 'secrets.json', 'demo.json'];

/**
 * Starts Postgres, Redis and their HTTP bridges on 127.0.0.1 and prepares the database and its roles; migrations are
 * the caller's. A part that fails stops the others. Throws StackError for anything the reader can put right.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dir = resolve(options.dir);
  const log = options.quiet === false ? (line: string): void => console.log(line) : () => undefined;
  await makeFolder(dir);
  const claim = await claimFolder(dir);
  const stops: Stop[] = [() => claim.release()];
  const stop = once(() => stopAll(stops));
  try {
    if (options.fresh === true) {
      await endOrphan(dir);
      await Promise.all(dataNames.map((name) => rm(join(dir, name), { recursive: true, force: true })));
    }
    const secrets = await loadSecrets(dir);
    const [database, upstash] = await settle(
      startDatabase({ ...options, dir }, secrets, stops, log),
      startCache(options, secrets, stops, log),
    );
    const { neon, adminUrl } = database;
    const environment = redisEnvironment(options, secrets);
    const varsFor = (name: string): Record<string, string> => ({
      ...settings(secrets, adminUrl, neon.port, upstash.port, name),
      ...environment,
    });
    return {
      vars: varsFor(database.name),
      varsFor,
      adminUrl,
      dir,
      neon,
      upstash,
      holdsCompanies: () => holdsCompanies(adminUrl, database.name, secrets.roles.cp_jobs),
      async createDatabase(name, template) {
        await copyDatabase(adminUrl, name, template, () => neon.closeIdle(template));
        return varsFor(name);
      },
      async dropDatabase(name) {
        await neon.closeIdle(name);
        await dropDatabase(adminUrl, name);
      },
      recordGroup: (leader) => claim.record(leader),
      announceStop: () => claim.announceStop(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDatabase(
  options: StackOptions,
  secrets: Secrets,
  stops: Stop[],
  log: (line: string) => void,
): Promise<{ neon: NeonBridge; adminUrl: string; name: string }> {
  let serverUrl = options.postgresUrl;
  if (serverUrl === undefined) {
    const { dir, durable = true, postgresLog } = options;
    const logged = postgresLog === undefined ? {} : { log: postgresLog };
    const server = await startPostgres({ dir, durable, password: secrets.postgresPassword, ...logged });
    stops.push(() => server.stop());
    server.onUnexpectedEnd(() => options.onLoss?.('Postgres'));
    serverUrl = server.adminUrl;
    log(`Postgres on 127.0.0.1:${server.port}`);
  }
  const url = new URL(serverUrl);
  const external = options.postgresUrl !== undefined;
  const named = external ? decodeURIComponent(url.pathname.slice(1)) : '';
  const name = options.database ?? (named === '' ? 'clientsplus' : named);
  try {
    if (external) {
      const folder = folderName(secrets.cursorSecret);
      await prepareExternal({ serverUrl, database: name, passwords: secrets.roles, folder });
    } else {
      await ensureDatabase(serverUrl, name);
      await setUpRoles(serverUrl, name, secrets.roles);
    }
  } catch (error) {
    if (error instanceof StackError) throw error;
    throw new StackError(`cannot prepare the database ${name} on ${url.host}: ${errorText(error)}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const neon = await startNeonBridge({ postgresHost: host, postgresPort: Number(url.port || 5432) });
  stops.push(() => neon.stop());
  return { neon, adminUrl: withDatabase(serverUrl, name), name };
}

async function startCache(
  options: StackOptions,
  secrets: Secrets,
  stops: Stop[],
  log: (line: string) => void,
): Promise<UpstashBridge> {
  let redisUrl = options.redisUrl;
  if (redisUrl === undefined) {
    const server = await startRedis({ password: secrets.redisToken });
    stops.push(() => server.stop());
    redisUrl = `redis://:${secrets.redisToken}@127.0.0.1:${server.port}`;
    log(`Redis on 127.0.0.1:${server.port}`);
  }
  await pingRedis(redisUrl).catch((error: unknown) => {
    throw new StackError(`cannot use the Redis on ${new URL(redisUrl).host}: ${errorText(error)}`);
  });
  const upstash = await startUpstashBridge({ redisUrl, token: secrets.redisToken });
  stops.push(() => upstash.stop());
  return upstash;
}

/** A Redis that is not ours may serve a deployment, whose keys begin with the default name. */
function redisEnvironment({ redisUrl }: StackOptions, secrets: Secrets): Record<string, string> {
  return redisUrl === undefined ? {} : { ENVIRONMENT: `dev-${folderName(secrets.cursorSecret)}` };
}

/** Settings as a stack would make them, for checking the others before there is one. */
export function exampleSettings(): Record<string, string> {
  return settings(makeSecrets(), 'postgres://127.0.0.1/clientsplus', 5432, 6379, 'clientsplus');
}

function settings(
  secrets: Secrets,
  adminUrl: string,
  neonPort: number,
  upstashPort: number,
  database: string,
): Record<string, string> {
  const url = (role: keyof Secrets['roles']): string =>
    `postgres://${role}:${secrets.roles[role]}@127.0.0.1:${neonPort}/${encodeURIComponent(database)}`;
  return {
    DATABASE_URL: url('cp_app'),
    DATABASE_AUTH_URL: url('cp_auth'),
    DATABASE_JOBS_URL: url('cp_jobs'),
    DATABASE_MIGRATION_URL: withDatabase(adminUrl, database),
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${upstashPort}`,
    UPSTASH_REDIS_REST_TOKEN: secrets.redisToken,
    JWT_PRIVATE_KEY: secrets.jwtPrivateKey,
    JWT_PUBLIC_KEYS: secrets.jwtPublicKeys,
    CURSOR_SECRET: secrets.cursorSecret,
  };
}

/** Both results, or the first error once both are over, so that nothing starts behind the clean-up's back. */
async function settle<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return await Promise.all([first, second]);
}

/** Stops in the opposite order of starting; one that fails does not keep the others running. */
async function stopAll(stops: Stop[]): Promise<void> {
  for (const stop of stops.toReversed()) await stop().catch((error: unknown) => console.error(error));
}

function once(work: Stop): Stop {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
