import { Breaker } from './breaker.ts';
import type { Ctx } from './ctx.ts';
import type { Tally } from './tally.ts';
import { openUpstash, Pipeline } from './upstash.ts';

/**
 * What the last trip that failed met: no answer that could be read, or a Redis that answers and refuses (a full quota, a
 * replica). Null after a trip that went well.
 */
type RedisFault = 'unreachable' | 'refuses' | null;

/** Redis over HTTP: every call is one round trip, counted, with a deadline and a breaker. */
export type RedisStore = {
  readonly breaker: Breaker;
  readonly fault: RedisFault;
  /** The name of something of this deployment: several may share a Redis. */
  key(...parts: readonly (string | number)[]): string;
  /**
   * Runs the commands that `fill` adds, in one trip, and reads the answers with `read`.
   * Null when Redis is down, late, refuses one of them or answers garbage; `read` throws to say the latter. Callers go on
   * without Redis. A Redis that refuses writes is as good as none: what it still answers may be long outdated.
   */
  trip<T>(ctx: Ctx, fill: (pipeline: Pipeline) => unknown, read: (answers: readonly unknown[]) => T): Promise<T | null>;
};

/** How parts of a key are put together. What stands under such a key is of the first version of its layout. */
export const keysOf =
  (environment: string): RedisStore['key'] =>
  (...parts) =>
    `v1:${environment}:${parts.join(':')}`;

/** Runs commands whose answers nobody reads. @returns whether Redis took them */
export const tell = async (redis: RedisStore, ctx: Ctx, fill: (pipeline: Pipeline) => unknown): Promise<boolean> =>
  (await redis.trip(ctx, fill, () => true)) === true;

type RedisOptions = {
  url: string;
  token: string;
  environment: string;
  /** Longest wait for one answer, ms. */
  deadline?: number;
  /** Told of each trip, where anybody counts them. */
  tally?: Pick<Tally, 'redis'>;
};

/** The first answer of an isolate may also take a name look-up and two handshakes, from far away; ms. */
const FIRST_DEADLINE = 750;

class Refusal extends Error {
  override readonly name = 'Refusal';
}

export function openRedis({ url, token, environment, deadline = 250, tally }: RedisOptions): RedisStore {
  let met = false;
  const ask = openUpstash({ url, token, deadline: () => (met ? deadline : Math.max(deadline, FIRST_DEADLINE)) });
  const breaker = new Breaker(3, 2000);
  let fault: RedisFault = null;
  return {
    breaker,
    key: keysOf(environment),
    get fault() {
      return fault;
    },
    async trip(ctx, fill, read) {
      if (!breaker.admits(ctx.now())) return null;
      const started = ctx.now();
      ctx.trips.redis += 1;
      try {
        const pipeline = new Pipeline();
        fill(pipeline);
        const answers = await ask(pipeline);
        if (!Array.isArray(answers) || answers.length !== pipeline.commands.length) throw new Error('shape');
        const results = (answers as { result?: unknown; error?: string }[]).map(({ result, error }) => {
          // Something else stands under that name. Redis is well, and of what was asked it knows nothing.
          if (error?.startsWith('WRONGTYPE') === true) return null;
          if (error !== undefined) throw new Refusal();
          return result;
        });
        const result = read(results);
        breaker.succeeded();
        met = true;
        fault = null;
        return result;
      } catch (error) {
        breaker.failed(ctx.now());
        // One that cannot be reached soon is not waited for longer than any other.
        met = true;
        fault = error instanceof Refusal ? 'refuses' : 'unreachable';
        // A message may repeat what was asked, and with it keys and rows: only its kind is logged.
        ctx.note('redisError', error instanceof Error ? error.name : 'unknown');
        return null;
      } finally {
        const took = ctx.now() - started;
        ctx.times.redis += took;
        tally?.redis(ctx, took);
      }
    },
  };
}
