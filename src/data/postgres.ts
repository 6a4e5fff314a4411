import type { SQL } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { Breaker } from './breaker.ts';
import { anchored, type Ctx } from './ctx.ts';
import { openProxy } from './neon.ts';
import { type Bid, Places, type Share, sharesOf } from './places.ts';
import type { RowsOf } from './query.ts';
import type { Tally } from './tally.ts';

/** Longest wait for one database answer, ms. A little above the roles' statement_timeout, which ends the work itself. */
export const DATABASE_DEADLINE = 11_000;

/** `name` is for the slow-query log; `companyId` is whose call it is, so that no company takes every place; see Share of `isHeavy`. */
type BatchCall = { name: string; companyId?: string; isHeavy?: boolean };

/** Postgres over HTTP: every batch is one HTTP round trip and one transaction. */
export type Database = {
  readonly breaker: Breaker;
  /** Told where a company was seen, by deps to the primary: this isolate never goes back on it. */
  readonly seen?: (companyId: string, epoch: string, revision: number, now: number) => void;
  /** Runs the statements as one transaction and answers the rows of each, typed as it says. @throws AppError */
  batch<const Q extends readonly SQL[]>(ctx: Ctx, call: BatchCall, statements: Q): Promise<RowsOf<Q>>;
};

export type PostgresOptions = {
  url: string;
  /** Reads are REPEATABLE READ, READ ONLY; a batch takes no options, so each kind has its own handle. */
  mode: 'read' | 'write';
  /** Which of the isolate's places it uses; absent: those of its mode. */
  share?: Share;
  /** Places of the isolate, for all its connections. */
  concurrency: number;
  acquireTimeout: number;
  slowQueryThreshold: number;
  onFailure: (error: unknown) => unknown;
  /** Told of each call, where anybody counts them. */
  tally?: Pick<Tally, 'query'> | null;
};

/** This isolate's places, shared by all its connections; by limit, of which there is one. */
const isolate = new Map<number, Places>();

function placesOf(limit: number): Places {
  let places = isolate.get(limit);
  if (places === undefined) {
    // A call that the runtime ends all the same never gives its place back, so the place outlives the deadline by little.
    places = new Places(sharesOf(limit), DATABASE_DEADLINE + 1000);
    isolate.set(limit, places);
  }
  return places;
}

export function openPostgres(options: PostgresOptions): Database {
  const run = openProxy({ url: options.url, readOnly: options.mode === 'read', deadline: DATABASE_DEADLINE });
  const breaker = new Breaker(5, 1000);
  const places = placesOf(options.concurrency);
  return {
    breaker,
    async batch<const Q extends readonly SQL[]>(ctx: Ctx, { name, companyId, isHeavy }: BatchCall, statements: Q) {
      const isProbe = breaker.state(ctx.now()) !== 'closed';
      if (!breaker.admits(ctx.now())) throw unavailable(undefined, false);
      const share = isHeavy === true ? 'heavy' : (options.share ?? options.mode);
      const place = places.bid(share, companyId ?? null, ctx.now());
      await takePlace(ctx, places, place, options.acquireTimeout);
      // Whoever waited while it opened would wait once more, for what is known by now.
      if (!isProbe && breaker.state(ctx.now()) !== 'closed') {
        places.release(place);
        throw unavailable(undefined, false);
      }
      const started = ctx.now();
      ctx.trips.postgres += 1;
      // Who leaves meanwhile ends the request, and with it the call without its `finally`: it would keep its place.
      return anchored(ctx, async () => {
        try {
          const results = await run(statements);
          breaker.succeeded();
          // Where rows get the types that their statements declare.
          return results as RowsOf<Q>;
        } catch (error) {
          const failure = options.onFailure(error);
          if (failure instanceof AppError && failure.code === 'database_unavailable') breaker.failed(ctx.now());
          else breaker.succeeded();
          throw failure;
        } finally {
          places.release(place);
          const took = ctx.now() - started;
          ctx.times.postgres += took;
          const slow = took >= options.slowQueryThreshold;
          // Names only: parameters are personal data.
          if (slow) ctx.note('slowQuery', `${name}:${took}ms`);
          options.tally?.query(ctx, name, took, slow);
        }
      });
    },
  };
}

/** Waits for a place on timers of its own (see Places). @throws AppError busy when there was none in time */
export async function takePlace(ctx: Ctx, places: Places, place: Bid, timeout: number): Promise<void> {
  const until = ctx.now() + timeout;
  while (!places.take(place, ctx.now())) {
    const left = until - ctx.now();
    if (left <= 0) {
      places.leave(place);
      throw new AppError('busy', 'Too many database calls are under way. Nothing was changed; try again.', {
        extra: { retryAfter: 1 },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, places.pause(place))));
  }
}

export function unavailable(cause?: unknown, sent: boolean = true): AppError {
  return new AppError('database_unavailable', 'The database cannot be reached. Try again.', {
    extra: sent ? { retryAfter: 2 } : { retryAfter: 2, sent },
    cause,
  });
}
