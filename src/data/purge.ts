import { AppError } from '../core/errors.ts';
import { behind, type Ctx } from './ctx.ts';
import type { Work } from './deps.ts';
import { type RedisStore, tell } from './redis.ts';
import { tagsKey } from './tags.ts';

/**
 * Before somebody is erased: gives the company's tag state another life, so that no entry that exists is valid anywhere
 * once the readings in use have ended, whatever becomes of the announcement. An erasure that Redis cannot be told of
 * promises nothing, so there is none then.
 * @throws AppError busy
 */
export async function renewIncarnation({ ctx, deps }: Work, companyId: string): Promise<void> {
  const { redis, tags } = deps;
  const told = await tell(redis, ctx, (p) => p.hset(tagsKey(redis, companyId), { incarnation: crypto.randomUUID() }));
  // What is remembered is of the life that has ended.
  tags.forget(companyId);
  if (told) return;
  throw new AppError('busy', 'What is cached of the person cannot be reached. Nothing was changed; try again.', {
    extra: { retryAfter: 5 },
  });
}

/** After somebody was erased: the bytes of what was cached, as far as they can be reached from here, behind the answer. */
export function forgetEntries({ ctx, deps }: Work, companyId: string): void {
  deps.cache.forget(ctx, companyId);
  ctx.waitUntil(purgeEntries(behind(ctx), deps.redis, companyId));
}

/** Keys looked at per trip, and trips at most: one request may make a thousand subrequests. */
const COUNT = 1000;
const MOST_TRIPS = 500;

/**
 * Deletes a company's entries from Redis. They are no longer valid when somebody was erased, but their bytes would stay
 * until their time is over. Behind the answer: it walks the whole key space. A walk that ends early leaves the rest to
 * that time.
 */
async function purgeEntries(ctx: Ctx, redis: RedisStore, companyId: string): Promise<void> {
  const match = `${redis.key(companyId, '').replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
  let doomed: readonly string[] = [];
  let cursor: string | null = '0';
  for (let trips = 0; trips < MOST_TRIPS && (cursor !== null || doomed.length > 0); trips += 1) {
    const page: Page | null = await walk(ctx, redis, { cursor, match, doomed });
    if (page === null) return;
    ({ cursor, found: doomed } = page);
  }
}

/** Where the walk goes on, null at its end, and the keys found on the way. */
type Page = { cursor: string | null; found: readonly string[] };

/** One trip: deletes what the trip before found, and looks further. */
function walk(
  ctx: Ctx,
  redis: RedisStore,
  { cursor, match, doomed }: { cursor: string | null; match: string; doomed: readonly string[] },
): Promise<Page | null> {
  return redis.trip(
    ctx,
    (pipeline) => {
      if (cursor !== null) pipeline.scan(cursor, { match, count: COUNT });
      if (doomed.length > 0) pipeline.unlink(...doomed);
    },
    (answers): Page => {
      if (cursor === null) return { cursor, found: [] };
      const [next, found] = answers[0] as [string, string[]];
      return { cursor: String(next) === '0' ? null : String(next), found };
    },
  );
}
