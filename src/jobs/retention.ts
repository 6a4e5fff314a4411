import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/context.ts';
import type { Doors } from '../data/doors.ts';
import { rowsOf } from '../data/log.ts';

/** At most once in this time, seconds. */
const EVERY = 3600;
/** Pieces per run: a run that ends early goes on with the next minute's. */
const MOST_PIECES = 40;
const COMPANIES = 200;
const ROWS = 1000;
/** Import jobs per piece: each may hold megabytes of report. */
const JOBS = 50;

/**
 * Forgets what has been kept long enough: changes older than the log's 90 days, import jobs a month after
 * they ended, and idempotency keys, sessions and one-time links that have ended. In pieces of one short transaction each, from where the last run stopped.
 * @returns how many rows went, or null when it was not yet time
 */
export async function retain(ctx: Ctx, doors: Doors): Promise<number | null> {
  const marker = `v1:${doors.settings.environment}:retention`;
  const due = await doors.redis.trip(
    ctx,
    (p) => {
      p.set(marker, '1', { nx: true, ex: EVERY });
      p.get(`${marker}:at`);
    },
    ([set, at]) => ({ now: set === 'OK', after: typeof at === 'string' && at !== '' ? at : null }),
  );
  // Without Redis nobody knows when it last ran; it is not urgent.
  if (due === null || !due.now) return null;
  let { after } = due;
  let gone = 0;
  let expired = ROWS;
  let imports = JOBS;
  let swept = false;
  for (let piece = 0; piece < MOST_PIECES; piece += 1) {
    const [changes, ended, jobs] = await doors.jobs.batch(ctx, 'retention', [
      doors.jobs.db.execute(
        sql`select last_company, trimmed, more from app.trim_changes(interval '90 days', ${after}::uuid, ${COMPANIES}::int, ${ROWS}::int)`,
      ),
      doors.jobs.db.execute(sql`select app.trim_expired(${expired >= ROWS ? ROWS : 0}::int) as expired`),
      doors.jobs.db.execute(sql`select app.trim_imports(${imports >= JOBS ? JOBS : 0}::int) as gone`),
    ]);
    const { last_company: last, trimmed, more } = rowsOf(changes)[0] ?? {};
    expired = Number(rowsOf(ended)[0]?.expired ?? 0);
    imports = Number(rowsOf(jobs)[0]?.gone ?? 0);
    gone += Number(trimmed ?? 0) + expired + imports;
    // Companies with more to forget are looked at again before the next ones.
    if (more !== true) {
      after = typeof last === 'string' ? last : null;
      swept ||= after === null;
    }
    if (swept && expired < ROWS && imports < JOBS) return finish(null, gone, true);
  }
  return finish(after, gone, false);

  async function finish(reached: string | null, count: number, done: boolean): Promise<number> {
    await doors.redis.trip(
      ctx,
      (p) => {
        p.set(`${marker}:at`, reached ?? '', { ex: 7 * 24 * EVERY });
        if (!done) p.del(marker);
        return p;
      },
      () => true,
    );
    return count;
  }
}
