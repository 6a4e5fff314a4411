import { sql } from 'drizzle-orm';
import { uuidOf } from '../../core/id.ts';
import { admit } from '../../data/admit.ts';
import { commit, type Row } from '../../data/log.ts';
import { callRoom } from '../../data/rooms.ts';
import { jobsOf } from '../../env.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { sendJson } from '../../http/send.ts';
import { submitted } from '../../resources/admitted.ts';
import { mustExist, validateNothing } from '../../resources/change.ts';
import { notFound } from '../../resources/list.ts';
import { readBody } from '../../resources/read-body.ts';
import { importDetails } from './resource.ts';
import { PERMISSION } from './service.ts';

const CANCELLED = JSON.stringify({ code: 'cancelled', detail: 'The import was cancelled. Rows taken before stay.' });

/**
 * POST /imports/{id}/cancel. What ends a job is its row: a chunk that is under way when it ends is either counted before or
 * finds it ended and takes nothing.
 */
export async function cancelImport(c: AppContext): Promise<Response> {
  const { ctx, deps, bindings } = c.env;
  const principal = principalOf(c);
  const { companyId } = principal;
  const id = uuidOf('imp', c.req.param('id') ?? '');
  const { admission } = await submitted(
    c,
    { permission: PERMISSION, weight: 1 },
    { read: () => readBody(c), exists: () => mustExist(c, importDetails, id), judge: validateNothing },
  );
  await admit(c.env, admission);
  const call = { database: deps.write, companyId, name: 'imports.cancel', writer: principal.writer(PERMISSION) };
  const { head, rows } = await commit(ctx, call, [
    sql`update imports set status = 'FAILED', error = ${CANCELLED}::jsonb, finished_at = clock_timestamp()
      where company_id = ${companyId}::uuid and id = ${id}::uuid and status in ('QUEUED', 'RUNNING')`,
    sql<{
      row: Row;
    }>`select to_jsonb(imports) as row from imports where company_id = ${companyId}::uuid and id = ${id}::uuid`,
  ]);
  const row = rows[1][0]?.row;
  if (row === undefined) throw notFound(importDetails);
  // Its rows are forgotten at its next turn in any case.
  const jobs = jobsOf(bindings, deps.settings, companyId);
  ctx.waitUntil(callRoom(ctx, () => jobs.discard(id)).catch(() => ctx.note('jobsError', 'discard')));
  return sendJson(c, 200, importDetails.view(row, importDetails.version), {
    revision: head,
    headers: { 'Cache-Control': 'no-store' },
  });
}
