/** The orchestrator with a clock of its own, on a database, a Redis and a location that are plain maps. */
import { AppError } from '../../../src/core/errors.ts';
import { announce, type TagState } from '../../../src/core/revision.ts';
import type { Loaded, ReadDemand, ReadPlan } from '../../../src/data/answer.ts';
import { Breaker } from '../../../src/data/breaker.ts';
import { AnswerCache } from '../../../src/data/cache.ts';
import type { Admission } from '../../../src/data/caller.ts';
import { type Ctx, makeCtx } from '../../../src/data/ctx.ts';
import { EdgeTier } from '../../../src/data/edge.ts';
import { MemoryTier } from '../../../src/data/memory.ts';
import { keysOf, type RedisStore } from '../../../src/data/redis.ts';
import { TagMemory } from '../../../src/data/tags.ts';

export const EPOCH = '0190-a';
export const STALENESS = 2000;

/** What all isolates share. */
export function place() {
  const world = {
    now: 1_000_000,
    epoch: EPOCH,
    revision: 1,
    value: 'one',
    state: null as TagState | null,
    entries: new Map<string, string>(),
    redisUp: true,
    databaseUp: true,
    loads: 0,
    /** How often Postgres was only asked where the company is. */
    heads: 0,
    /** Names of the tag state's lives. */
    lives: 0,
    /** The life of Redis, and when the watch last found it in order. */
    era: 'era-1' as string | null,
    beat: null as number | null,
    /** What isolates asked for: a room to look, the watch to beat. */
    asked: [] as string[],
    /** When the clock alone changes the answer. */
    validUntil: null as number | null,
    /** What a computation waits for, so that others may join it. */
    gate: null as Promise<void> | null,
  };
  const edge = new Map<string, Response>();
  const store = {
    match: async (key: RequestInfo | URL) => edge.get(String(key))?.clone(),
    put: async (key: RequestInfo | URL, value: Response) => void edge.set(String(key), value),
    delete: async (key: RequestInfo | URL) => edge.delete(String(key)),
  };
  const tell = (first: number, last: number, tags: Record<string, number>): void => {
    world.lives += 1;
    world.state = announce(world.state, { epoch: world.epoch, first, last, tags }, `life-${world.lives}`);
  };
  const announceWrite = (revision: number): void => tell(revision, revision, { things: revision });
  const write = (value: string, announced = true): void => {
    world.revision += 1;
    world.value = value;
    if (announced) announceWrite(world.revision);
  };
  /** A company that Redis knows, as any is after its first write. */
  const begun = (): void => announceWrite(world.revision);
  return { world, store, edge, tell, announceWrite, write, begun };
}

type Place = ReturnType<typeof place>;

export function isolate({ world, store, tell }: Place, withEdge = true, more: Partial<ReadPlan> = {}) {
  const waiting: Promise<unknown>[] = [];
  const redis: RedisStore = {
    breaker: new Breaker(3, 1000),
    fault: null,
    key: keysOf('unit'),
    async trip(ctx, fill, read) {
      if (!world.redisUp) return null;
      ctx.trips.redis += 1;
      const answers: unknown[] = [];
      const commands = {
        hmget: (_key: string, ...fields: string[]) => {
          const { state } = world;
          answers.push(
            fields.map((name) =>
              state === null
                ? null
                : name.startsWith('t:')
                  ? (state.tags[name.slice(2)] ?? null)
                  : state[name as 'epoch'],
            ),
          );
        },
        mget: (...keys: readonly string[]) => {
          const { era, beat, now } = world;
          answers.push(
            keys.map((key) => {
              if (key.endsWith(':era')) return era;
              if (key.endsWith(':beat')) return String(beat ?? now);
              return world.entries.get(key) ?? null;
            }),
          );
        },
        set: (key: string, value: string) => answers.push(world.entries.set(key, value)),
      };
      fill(commands as never);
      return read(answers);
    },
  };
  const tags = new TagMemory();
  const cache = new AnswerCache({
    redis,
    memory: new MemoryTier(),
    edge: withEdge ? new EdgeTier(async () => store as never) : null,
    tags,
    suspect: (_ctx, _companyId, { revision }) => void world.asked.push(`suspect ${revision}`),
    wake: () => void world.asked.push('wake'),
    maxStaleness: STALENESS,
  });
  const plan: ReadPlan = {
    companyId: 'c',
    key: 'k',
    representation: 'r',
    tags: ['things'],
    ttl: 60,
    linked: false,
    ...more,
  };
  const admission: Admission = {
    ready: () => true,
    ask: () => undefined,
    learn: () => undefined,
    decide: () => true,
    excused: () => false,
    credentialQuery: null as never,
    settleCredential: () => undefined,
  };
  const load = async (): Promise<Loaded> => {
    if (!world.databaseUp) throw new AppError('database_unavailable');
    world.loads += 1;
    tags.see('c', world.epoch, world.revision, world.now);
    const taken = {
      epoch: world.epoch,
      revision: world.revision,
      body: world.value,
      link: null,
      validUntil: world.validUntil,
    };
    await world.gate;
    return taken;
  };
  const heal = async ({ revision }: { revision: number }): Promise<void> => tell(revision + 1, revision, {});
  return async ({ key = 'k', ...demand }: Partial<ReadDemand> & { key?: string } = {}) => {
    const ctx: Ctx = makeCtx(
      'r',
      (work) => void waiting.push(work),
      () => world.now,
    );
    const answer = await cache.read({
      ctx,
      plan: { ...plan, key },
      demand: { min: 0, ifNoneMatch: null, bypass: false, ...demand },
      admission,
      origin: () => ({
        load,
        confirm: async () => {
          if (!world.databaseUp) throw new AppError('database_unavailable');
          world.heads += 1;
          tags.see('c', world.epoch, world.revision, world.now);
          return { epoch: world.epoch, revision: world.revision };
        },
        heal,
      }),
    });
    // What is done behind an answer may begin more.
    while (waiting.length > 0) await Promise.all(waiting.splice(0));
    return {
      ...answer,
      text: answer.body instanceof Uint8Array ? new TextDecoder().decode(answer.body) : null,
      redis: ctx.trips.redis,
    };
  };
}
