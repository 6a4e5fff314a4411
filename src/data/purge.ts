import type { Ctx } from './context.ts';
import type { RedisDoor } from './redis.ts';

/** Keys looked at per trip, and trips at most: one request may make a thousand subrequests. */
const COUNT = 1000;
const MOST_TRIPS = 500;

/**
 * Deletes a company's entries from Redis. They are no longer valid when somebody was erased, but their bytes would stay
 * until their time is over. Behind the answer: it walks the whole key space. A walk that ends early leaves the rest to
 * that time.
 */
export async function purgeEntries(ctx: Ctx, redis: RedisDoor, environment: string, companyId: string): Promise<void> {
  const match = `v1:${environment.replaceAll(/[\\*?[\]]/g, '\\$&')}:${companyId}:*`;
  let doomed: readonly string[] = [];
  let cursor: string | null = '0';
  for (let trips = 0; trips < MOST_TRIPS && (cursor !== null || doomed.length > 0); trips += 1) {
    const page: Page | null = await walk(ctx, redis, cursor, match, doomed);
    if (page === null) return;
    ({ cursor, found: doomed } = page);
  }
}

/** Where the walk goes on, null at its end, and the keys found on the way. */
type Page = { cursor: string | null; found: readonly string[] };

/** One trip: deletes what the trip before found, and looks further. */
function walk(
  ctx: Ctx,
  redis: RedisDoor,
  cursor: string | null,
  match: string,
  doomed: readonly string[],
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
