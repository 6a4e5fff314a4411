import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { callRoom } from '../data/rooms.ts';

/** Companies per run, and dispatchers that are called at a time. */
const MOST = 200;
const AT_ONCE = 6;

/**
 * Calls the dispatchers of companies whose log has gone on without being walked: a call that was lost, an object that was. Most
 * of those that are called know already.
 * @returns how many were called
 */
export async function wakeLaggards(ctx: Ctx, deps: Deps): Promise<number> {
  const [rows] = await deps.jobs.batch(ctx, { name: 'laggards' }, [
    sql<{ company_id: string }>`select company_id from app.lagging_followers(${MOST}::int)`,
  ]);
  for (let i = 0; i < rows.length; i += AT_ONCE) {
    const some = rows.slice(i, i + AT_ONCE);
    await Promise.all(
      some.map(({ company_id: id }) =>
        // The next minute calls again.
        callRoom(ctx, () => deps.dispatchers(id).wake(id)).catch(() => ctx.note('roomError', 'laggards')),
      ),
    );
  }
  return rows.length;
}
