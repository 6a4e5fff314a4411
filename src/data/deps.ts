import type { Settings } from '../settings.ts';
import { AnswerCache } from './cache.ts';
import type { Ctx } from './ctx.ts';
import type { Dispatchers } from './dispatch.ts';
import { Door } from './door.ts';
import { EdgeTier } from './edge.ts';
import { MemoryTier } from './memory.ts';
import type { MonitorOf } from './monitor.ts';
import { isDown, writeFailure } from './outcome.ts';
import type { Share } from './places.ts';
import { type Database, openPostgres } from './postgres.ts';
import { type ConstraintMeaning, mapPostgresError } from './postgres-errors.ts';
import type { WatchOf } from './pulse.ts';
import { RateCounter } from './rate.ts';
import { openRedis, type RedisStore } from './redis.ts';
import type { Registry } from './registry.ts';
import { type Rooms, tellRoom } from './rooms.ts';
import { TagMemory } from './tags.ts';
import { Tally } from './tally.ts';

/** Everything an isolate reaches the outside through. Built once; holds no socket and no request. */
export type Deps = {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly constraints: Readonly<Record<string, ConstraintMeaning>>;
  readonly redis: RedisStore;
  readonly read: Database;
  readonly replica: Database | null;
  readonly write: Database;
  /** Sign-up, sign-in and key look-ups, before a tenant is known. */
  readonly auth: Database;
  /** Cron work over all companies. */
  readonly jobs: Database;
  readonly tags: TagMemory;
  readonly rate: RateCounter;
  readonly door: Door;
  readonly cache: AnswerCache;
  readonly rooms: Rooms;
  readonly watch: WatchOf;
  readonly dispatchers: Dispatchers;
  readonly monitor: MonitorOf;
  /** What this isolate counts for the monitor. */
  readonly tally: Tally;
};

/** A piece of work, such as a request, and what it reaches the outside through. */
export type Work = { readonly ctx: Ctx; readonly deps: Deps };

export function openDeps(
  settings: Settings,
  registry: Registry,
  constraints: () => Readonly<Record<string, ConstraintMeaning>>,
  { rooms, watch, dispatchers, monitor }: Pick<Deps, 'rooms' | 'watch' | 'dispatchers' | 'monitor'>,
): Deps {
  const tally = new Tally(monitor);
  const mapped = (error: unknown) => mapPostgresError(error, constraints());
  const open = (
    url: string,
    mode: 'read' | 'write',
    share: Share = mode,
    onFailure: (error: unknown) => unknown = mapped,
  ) =>
    openPostgres({
      url,
      mode,
      share,
      concurrency: settings.databaseConcurrency,
      acquireTimeout: settings.databaseAcquireTimeout,
      slowQueryThreshold: settings.slowQueryThreshold,
      onFailure,
      tally: settings.databaseMetrics ? tally : null,
    });
  const redis = openRedis({
    url: settings.redisUrl,
    token: settings.redisToken,
    environment: settings.environment,
    deadline: settings.redisDeadline,
    tally,
  });
  const tags = new TagMemory();
  const primary = (database: Database): Database => ({
    ...database,
    seen: (companyId, epoch, revision, now) => tags.see(companyId, epoch, revision, now),
  });
  const edge = settings.edgeCache ? new EdgeTier(() => caches.open('clientsplus')) : null;
  return {
    settings,
    registry,
    get constraints() {
      return constraints();
    },
    redis,
    read: primary(open(settings.databaseUrl, 'read')),
    replica: settings.databaseReplicaUrl === null ? null : open(settings.databaseReplicaUrl, 'read'),
    write: primary(open(settings.databaseUrl, 'write')),
    auth: open(settings.databaseAuthUrl, 'write', 'auth', (error) => {
      const failure = mapped(error);
      return isDown(failure) ? writeFailure(failure, 'signIn') : failure;
    }),
    jobs: open(settings.databaseJobsUrl, 'write', 'jobs'),
    tags,
    rate: new RateCounter(),
    door: new Door(),
    cache: new AnswerCache({
      redis,
      memory: new MemoryTier(),
      edge,
      tags,
      maxStaleness: settings.cacheMaxStaleness,
      suspect: (ctx, companyId, head) =>
        tellRoom(ctx, 'suspect', () => rooms(companyId).suspect(companyId, head.epoch, head.revision)),
      wake: (ctx) => tellRoom(ctx, 'wake', () => watch().beat(true)),
    }),
    rooms,
    watch,
    dispatchers,
    monitor,
    tally,
  };
}
