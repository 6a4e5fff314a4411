import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { formatId, newUuid } from '../../core/id.ts';
import { ADMITTED } from '../../data/caller.ts';
import { type Ctx, makeCtx } from '../../data/ctx.ts';
import type { Deps } from '../../data/deps.ts';
import type { JobWorker, Step, StepOutcome } from '../../data/jobs.ts';
import { commit, snapshot } from '../../data/log.ts';
import { type RowFault, rowError } from '../../data/postgres-errors.ts';
import { write } from '../../data/write.ts';
import { describeCause } from '../../http/fault.ts';
import type { Importer, Importers } from '../../resources/importer.ts';
import { briefly, type ChunkWork, type Note, takeChunk } from './chunk.ts';
import { type RawRow, rowReader } from './rows.ts';

/** Bytes of the report beyond which failed rows are only counted: more would be too much for one answer. */
const MOST_REPORT = 512 * 1024;

/** Codes of a caller who may not write any more: what is in stays in, the rest is not taken. */
const ENDED: Readonly<Record<string, string>> = {
  session_revoked: 'The session or key that asked for the import has ended. Rows taken before stay.',
  forbidden: 'Whoever asked for the import may not import any more. Rows taken before stay.',
};

/** Runs import jobs for the company's Durable Object. */
export function importWorker(deps: Deps, importers: Importers): JobWorker {
  const background = (requestId: string): Ctx => makeCtx(requestId, () => undefined);

  async function fail(companyId: string, jobId: string, code: string, detail: string): Promise<void> {
    const writer = { actor: 'SYSTEM', credential: { system: true } };
    await commit(background(jobId), { database: deps.write, companyId, name: 'imports.fail', writer }, [
      sql`update imports set status = 'FAILED', error = ${JSON.stringify({ code, detail })}::jsonb, finished_at = clock_timestamp()
        where company_id = ${companyId}::uuid and id = ${jobId}::uuid and status in ('QUEUED', 'RUNNING')`,
    ]);
  }

  return {
    fail,
    async exists(companyId, jobId) {
      const { rows } = await snapshot(background(jobId), { database: deps.read, companyId, name: 'imports.exists' }, [
        sql`select 1 from imports where company_id = ${companyId}::uuid and id = ${jobId}::uuid`,
      ]);
      return rows[0].length > 0;
    },
    async step(step, waitUntil) {
      const { spec, jobId, first } = step;
      const importer = importers.get(spec.resource);
      try {
        // A deploy took the importer away while the job was waiting.
        if (importer === undefined) throw new AppError('forbidden');
        const done = await takeChunk(workOf(deps, importer, step, waitUntil), first, step.rows as readonly RawRow[]);
        return done < 0 ? { kind: 'ended' } : { kind: 'went', done };
      } catch (error) {
        if (!(error instanceof AppError)) {
          logStop(jobId, first, 'unexpected', error);
          return { kind: 'stuck', blame: 'us' };
        }
        return stopped(error, step);
      }
    },
  };

  async function stopped(error: AppError, { spec, jobId, first }: Step): Promise<StepOutcome> {
    logStop(jobId, first, error.code, error.cause);
    // Job or company are gone.
    if (error.code === 'not_found' || error.code === 'unauthenticated') return { kind: 'ended' };
    const reason = ENDED[error.code];
    // Whatever a file holds, a chunk of it is never refused for that: it would be refused for ever.
    const ours = error.code === 'internal_error' || error.code === 'invalid_body';
    if (reason === undefined) return { kind: 'stuck', blame: ours ? 'us' : 'world' };
    try {
      await fail(spec.companyId, jobId, error.code, reason);
      return { kind: 'ended' };
    } catch {
      return { kind: 'stuck', blame: 'world' };
    }
  }
}

function workOf(deps: Deps, importer: Importer, step: Step, waitUntil: (work: Promise<unknown>) => void): ChunkWork {
  const { spec, jobId } = step;
  const { companyId, writer } = spec;
  return {
    match: spec.match,
    prepare(all) {
      const ctx = makeCtx(`${spec.requestId}.${step.first}!`, waitUntil);
      const call = { database: deps.read, companyId, name: 'imports.look' };
      return importer.prepare(spec.match, all, {
        companyId,
        look: (queries) => snapshot(ctx, call, queries),
        now: ctx.now(),
      });
    },
    read: rowReader(importer, spec),
    cells: spec.header !== null,
    newId: newUuid,
    firstWith: step.firstWith,
    async faulty(rows) {
      const ctx = makeCtx(`${spec.requestId}.${step.first}?`, waitUntil);
      const { rows: answers } = await commit(ctx, { database: deps.write, companyId, name: 'imports.faulty', writer }, [
        sql<{
          faults: RowFault[];
        }>`select app.faulty_rows(${JSON.stringify(rows)}::jsonb, ${importer.upsert(spec.match)}) as faults`,
      ]);
      const faults = answers[0][0]?.faults ?? [];
      return faults.map((fault) => ({ index: fault.index, error: rowError(fault, deps.constraints) }));
    },
    async commit(first, count, rows, { failures, notes }) {
      // One id per try: the room tells the writes it expects apart by it.
      const ctx = makeCtx(`${spec.requestId}.${first}-${first + count}`, waitUntil);
      const order = { companyId, writer, name: 'imports.chunk', admission: ADMITTED };
      const { rows: answers } = await write({ ctx, deps }, order, [
        sql<{
          done: number;
        }>`select app.import_chunk(${jobId}::uuid, ${first}::int, ${count}::int, living.rows, living.failures,
          ${importer.upsert(spec.match)}, ${MOST_REPORT}::int - octet_length(living.failures::text)) as done
          from app.living_rows(${jobId}::uuid, ${first}::int, ${count}::int, ${JSON.stringify(rows)}::jsonb,
            ${JSON.stringify(briefly(failures))}::jsonb) living`,
        ...(notes.length === 0 ? [] : [noted(jobId, companyId, first + count, briefly(notes))]),
      ]);
      return Number(answers[0][0]?.done);
    },
  };
}

/** Adds to the report of a job that has come to `done` just now, once: a chunk may be run again. */
const noted = (jobId: string, companyId: string, done: number, notes: readonly Note[]) =>
  sql`update imports set report_bytes = report_bytes + octet_length(${JSON.stringify(notes)}),
      report = (select jsonb_agg(e order by (e ->> 'row')::int) from jsonb_array_elements(report || ${JSON.stringify(notes)}::jsonb) e)
    where company_id = ${companyId}::uuid and id = ${jobId}::uuid and created + updated + unchanged + failed = ${done}::int
      and report_bytes < ${MOST_REPORT}::int
      and not report @> ${JSON.stringify(notes.slice(0, 1).map(({ row, status }) => ({ row, status })))}::jsonb`;

/** Ids, codes and places only: rows are personal data, and drivers put values into their messages. */
function logStop(jobId: string, first: number, code: string, cause: unknown): void {
  const job = formatId('imp', jobId);
  console.error(JSON.stringify({ level: 'warn', job, first, code, ...(cause !== undefined && describeCause(cause)) }));
}
