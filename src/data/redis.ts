import { type Pipeline, Redis } from '@upstash/redis/cloudflare';
import { Breaker } from './breaker.ts';
import type { Ctx } from './context.ts';

/** One door to Redis: every call is one round trip, counted, with a deadline and a breaker. */
export type RedisDoor = {
  readonly breaker: Breaker;
  /**
   * Runs the commands that `fill` adds, in one trip, and reads the answers with `read`.
   * Null when Redis is down, late or answers garbage; `read` throws to say the latter. Callers go on without Redis.
   */
  trip<T>(ctx: Ctx, fill: (pipeline: Pipeline) => unknown, read: (answers: readonly unknown[]) => T): Promise<T | null>;
};

/** @param deadline longest wait for one answer, ms; the client's own retries would add 4.3 s when Redis is down */
export function openRedis(url: string, token: string, deadline: number = 250): RedisDoor {
  const redis = new Redis({
    url,
    token,
    // Answers stay the text Redis holds: entries are serialised once and never parsed on the way.
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    responseEncoding: false,
    retry: { retries: 1, backoff: () => 25 },
    // A function: with a plain aborted signal the client answers the abort reason as if Redis had said it.
    signal: () => AbortSignal.timeout(deadline),
  });
  const breaker = new Breaker(3, 2000);
  return {
    breaker,
    async trip(ctx, fill, read) {
      if (!breaker.admits(ctx.now())) return null;
      const started = ctx.now();
      ctx.trips.redis += 1;
      try {
        const pipeline = redis.pipeline();
        fill(pipeline);
        const expected = pipeline.length();
        const answers: unknown = await pipeline.exec();
        if (!Array.isArray(answers) || answers.length !== expected) throw new Error('shape');
        const result = read(answers);
        breaker.succeeded();
        return result;
      } catch (error) {
        breaker.failed(ctx.now());
        // The client's message repeats the command, and with it keys and rows: only its kind is logged.
        ctx.note('redisError', error instanceof Error ? error.name : 'unknown');
        return null;
      } finally {
        ctx.times.redis += ctx.now() - started;
      }
    },
  };
}
