import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';

/** At most once in this time, seconds. */
const EVERY = 600;
/** Tables of one run: each is read in samples, within the time that a statement has. */
const MOST = 3;
/** Changed rows from which new statistics are worth it. */
const LEAST = 1000;

/** Tables by name: whose statistics were renewed, and where dead rows pile up although autovacuum should have come by. */
type Maintained = { analyzed: readonly string[]; unclean: readonly string[] };

/** Has the planner know what was loaded at once, and looks whether autovacuum keeps up. Null when it was not yet time. */
export async function maintain(ctx: Ctx, { redis, jobs }: Deps): Promise<Maintained | null> {
  const due = await redis.trip(
    ctx,
    (p) => p.set(redis.key('maintain'), '1', { nx: true, ex: EVERY }),
    ([set]) => set === 'OK',
  );
  if (due !== true) return null;
  const [[found]] = await jobs.batch(ctx, { name: 'maintain' }, [
    sql<Maintained>`select to_json(analyzed) as analyzed, to_json(unclean) as unclean from app.maintain(${MOST}::int, ${LEAST}::int)`,
  ]);
  return found ?? { analyzed: [], unclean: [] };
}
