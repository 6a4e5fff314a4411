import type { Settings } from '../env.ts';
import { isDown } from './admission.ts';
import { announceToRedis } from './announce.ts';
import { AnswerCache } from './cache.ts';
import type { Ctx } from './context.ts';
import { EdgeTier } from './edge.ts';
import { MemoryTier } from './memory.ts';
import { writeFailure } from './outcome.ts';
import type { Share } from './places.ts';
import { openPostgres, type PostgresDoor } from './postgres.ts';
import { type ConstraintMeaning, mapPostgresError } from './postgres-errors.ts';
import { RateCounter } from './rate.ts';
import { openRedis, type RedisDoor } from './redis.ts';
import type { Registry } from './registry.ts';
import { type RoomDoor, tellRoom } from './room.ts';
import { TagMemory } from './tags.ts';
import type { WatchDoor } from './watch.ts';

/** Everything an isolate reaches the outside through. Built once; holds no socket and no request. */
export type Doors = {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly constraints: Readonly<Record<string, ConstraintMeaning>>;
  readonly redis: RedisDoor;
  readonly read: PostgresDoor;
  readonly replica: PostgresDoor | null;
  readonly write: PostgresDoor;
  /** Sign-up, sign-in and key look-ups, before a tenant is known. */
  readonly auth: PostgresDoor;
  /** Cron work over all companies. */
  readonly jobs: PostgresDoor;
  readonly tags: TagMemory;
  readonly rate: RateCounter;
  readonly cache: AnswerCache;
  readonly rooms: RoomDoor;
  readonly watch: WatchDoor;
};

export function openDoors(
  settings: Settings,
  registry: Registry,
  constraints: Readonly<Record<string, ConstraintMeaning>>,
  rooms: RoomDoor,
  watch: WatchDoor,
): Doors {
  const mapped = (error: unknown) => mapPostgresError(error, constraints);
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
    });
  const redis = openRedis(settings.redisUrl, settings.redisToken, settings.redisDeadline);
  const tags = new TagMemory();
  const primary = (door: PostgresDoor): PostgresDoor => ({
    ...door,
    seen: (companyId, epoch, revision, now) => tags.see(companyId, epoch, revision, now),
  });
  const edge = settings.edgeCache ? new EdgeTier(() => caches.open('clientsplus')) : null;
  return {
    settings,
    registry,
    constraints,
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
    cache: new AnswerCache({
      redis,
      memory: new MemoryTier(),
      edge,
      tags,
      environment: settings.environment,
      maxStaleness: settings.cacheMaxStaleness,
      suspect: (ctx, companyId, head) =>
        tellRoom(ctx, 'suspect', () => rooms(companyId).suspect(companyId, head.epoch, head.revision)),
      wake: (ctx) => tellRoom(ctx, 'wake', () => watch().beat(true)),
    }),
    rooms,
    watch,
  };
}

/** Tells Redis that a snapshot at `revision` exists, where it knows nothing of the company: starts its tag state. */
export function healTagState(
  ctx: Ctx,
  doors: Doors,
  companyId: string,
  epoch: string,
  revision: number,
): Promise<boolean> {
  return announceToRedis(ctx, doors.redis, doors.tags, doors.settings.environment, companyId, {
    epoch,
    first: revision + 1,
    last: revision,
    tags: {},
  });
}
