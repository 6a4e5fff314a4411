import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless';
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http';
import { AppError } from '../core/errors.ts';
import { Breaker } from './breaker.ts';
import type { Ctx } from './context.ts';

/** Longest wait for one database answer, ms. A little above the roles' statement_timeout, which ends the work itself. */
const DEADLINE = 11_000;

type Statements = Parameters<NeonHttpDatabase['batch']>[0];

/** One door to Postgres: every batch is one HTTP round trip and one transaction. */
export type PostgresDoor = {
  readonly db: NeonHttpDatabase;
  readonly breaker: Breaker;
  /** Runs the statements as one transaction and answers their results in order. @throws AppError */
  batch(ctx: Ctx, name: string, statements: readonly unknown[]): Promise<unknown[]>;
};

export type PostgresOptions = {
  url: string;
  /** Reads are REPEATABLE READ, READ ONLY; a batch takes no options, so each kind has its own handle. */
  mode: 'read' | 'write';
  concurrency: number;
  acquireTimeout: number;
  slowQueryThreshold: number;
  onFailure: (error: unknown) => unknown;
};

const remoteEndpoint = neonConfig.fetchEndpoint;
// Local addresses are recognised from the URL itself, so development needs no setting of its own.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (host === '127.0.0.1' || host === 'localhost') return `http://${host}:${port}/sql`;
  return typeof remoteEndpoint === 'function' ? remoteEndpoint(host, port, options) : remoteEndpoint;
};
neonConfig.fetchFunction = (input: RequestInfo, init?: RequestInit) =>
  fetch(input, { ...init, signal: AbortSignal.timeout(DEADLINE) });

/** Calls of this isolate that are under way; plain numbers, shared by all its doors. */
const underWay = { calls: 0 };

export function openPostgres(options: PostgresOptions): PostgresDoor {
  const sql = (
    options.mode === 'read'
      ? neon(options.url, { isolationLevel: 'RepeatableRead', readOnly: true })
      : neon(options.url)
  ) as NeonQueryFunction<false, false>;
  const db = drizzle(sql);
  const breaker = new Breaker(5, 1000);
  return {
    db,
    breaker,
    async batch(ctx, name, statements) {
      if (!breaker.admits(ctx.now())) throw unavailable(undefined, false);
      await acquire(ctx, options.concurrency, options.acquireTimeout);
      const started = ctx.now();
      ctx.trips.postgres += 1;
      try {
        const results = await db.batch(statements as unknown as Statements);
        breaker.succeeded();
        return [...results];
      } catch (error) {
        const failure = options.onFailure(error);
        if (failure instanceof AppError && failure.code === 'database_unavailable') breaker.failed(ctx.now());
        else breaker.succeeded();
        throw failure;
      } finally {
        underWay.calls -= 1;
        const took = ctx.now() - started;
        ctx.times.postgres += took;
        // Names only: parameters are personal data.
        if (took >= options.slowQueryThreshold) ctx.note('slowQuery', `${name}:${took}ms`);
      }
    },
  };
}

/**
 * Takes one of the isolate's places for a database call. Waits on timers of its own: a queue of promises would let one
 * request wait for another, which in workerd can hang for ever.
 */
async function acquire(ctx: Ctx, limit: number, timeout: number): Promise<void> {
  const began = ctx.now();
  for (let pause = 5; underWay.calls >= limit; pause = Math.min(50, pause * 1.5)) {
    if (ctx.now() - began >= timeout) {
      throw new AppError('busy', 'Too many database calls are under way.', { extra: { retryAfter: 1 } });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  underWay.calls += 1;
}

export function unavailable(cause?: unknown, sent: boolean = true): AppError {
  return new AppError('database_unavailable', 'The database cannot be reached. Try again.', {
    extra: sent ? { retryAfter: 2 } : { retryAfter: 2, sent },
    cause,
  });
}
