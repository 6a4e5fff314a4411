import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { JobsApi, JobWorker } from '../data/jobs.ts';
import { callRoom } from '../data/rooms.ts';

/** Jobs younger than this are left to their object: it is told of a job before the database is. */
const AGE = '10 minutes';
/** Jobs per run. */
const MOST = 200;

/**
 * Ends the jobs that nobody works on any more because their object lost their rows; without it they would wait for ever.
 * @returns how many there were
 */
export async function reconcile(
  ctx: Ctx,
  deps: Deps,
  jobsOf: (companyId: string) => JobsApi,
  worker: JobWorker,
): Promise<number> {
  const [rows] = await deps.jobs.batch(ctx, { name: 'waitingJobs' }, [
    sql<{
      company_id: string;
      id: string;
    }>`select company_id, id from app.waiting_imports(${AGE}::interval, ${MOST}::int)`,
  ]);
  const waiting = Map.groupBy(rows, (row) => row.company_id);
  let ended = 0;
  for (const [companyId, jobs] of waiting) {
    const ids = jobs.map(({ id }) => id);
    // An object out of reach says nothing about its jobs; the next minute asks again.
    const missing = await callRoom(ctx, () => jobsOf(companyId).missing(ids)).catch(() => []);
    for (const id of missing) {
      // A job that has ended meanwhile stays as it ended.
      await worker.fail(companyId, id, 'internal_error', 'The rows of the file were lost. Send the file again.');
      ended += 1;
    }
  }
  return ended;
}
