import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { formatId, newUuid } from '../../core/id.ts';
import type { Ctx } from '../../data/ctx.ts';
import type { Deps } from '../../data/deps.ts';
import type { JobSpec, JobsApi, Packet } from '../../data/jobs.ts';
import { type Claim, type Committed, commit, type Row, snapshot } from '../../data/log.ts';
import { mayBeStored } from '../../data/outcome.ts';
import { callRoom } from '../../data/rooms.ts';
import type { Principal } from '../../http/context.ts';
import type { Fingerprint } from '../../resources/idempotency.ts';
import { checkHeader, targetOf } from './header.ts';
import { Newcomers } from './newcomers.ts';
import type { ImportRequest } from './request.ts';
import { type FileKind, receive } from './upload.ts';

export const PERMISSION = 'import';
/** Units of the rate limit (contract-details A13). */
export const WEIGHT = 5;

/** A job as its row, and how it came about. */
export type Taken = { row: Row; revision: number; replayed: boolean };

type Asked = {
  ctx: Ctx;
  deps: Deps;
  jobs: JobsApi;
  principal: Principal;
  request: ImportRequest;
  route: string;
  /** Takes the file in, to tell a repeat of the request from another one with its key. */
  fingerprint: Fingerprint;
  /** Adds units to what the request costs. @throws AppError rate_limited */
  charge(units: number): Promise<unknown>;
};

/** Rows that cost one unit more of the rate limit. */
const ROWS_PER_UNIT = 1000;

/**
 * Takes a file in: its rows go to the company's Durable Object as they arrive, then the job is committed, then the object
 * is told to start. Should this Worker die between the two, the object looks for the job by itself.
 * @throws AppError nothing was kept, unless `mayBeStored` says that it is not known
 */
export async function takeImport(asked: Asked, body: ReadableStream<Uint8Array> | null): Promise<Taken> {
  const { ctx, jobs, principal, request, route, fingerprint } = asked;
  const id = newUuid();
  const { importer, match, mapping } = request;
  fingerprint.update(
    `${importer.resource} ${request.dryRun} ${request.format} ${match} ${request.charset} ${JSON.stringify(mapping)}\n`,
  );
  const newcomers = new Newcomers();
  const kind: FileKind = {
    format: request.format,
    charset: request.charset,
    chunk: importer.chunk,
    known: (name) => Object.hasOwn(mapping, name) || targetOf(importer, match, name) !== null,
    checkHeader: (header) => newcomers.expect(checkHeader(importer, mapping, match, header)),
    seen: (cells) => newcomers.see(cells),
  };
  let staged = false;
  let committing = false;
  const discard = (): void => {
    if (staged) ctx.waitUntil(jobs.discard(id).catch(() => ctx.note('jobsError', 'discard')));
  };
  const sink = async (header: string[] | null, packets: readonly Packet[]): Promise<void> => {
    const spec: JobSpec = {
      companyId: principal.companyId,
      requestId: ctx.requestId,
      resource: importer.resource,
      header,
      mapping,
      match,
      writer: principal.writer(PERMISSION),
    };
    staged = true;
    if (await reach(ctx, () => jobs.stage(id, spec, packets))) return;
    staged = false;
    throw new AppError('busy', 'Too many imports of the company are waiting.', { extra: { retryAfter: 30 } });
  };
  try {
    const { total } = await receive(body, kind, fingerprint, sink);
    await newcomers.judge((keys) => anyThere(asked, keys));
    if (total >= ROWS_PER_UNIT) await asked.charge(Math.floor(total / ROWS_PER_UNIT));
    const claim = request.key === null ? undefined : { route, key: request.key, fingerprint: fingerprint.digest() };
    // From here on a client that goes away changes nothing.
    committing = true;
    const work = settle(asked, id, total, claim);
    ctx.waitUntil(work.catch(() => undefined));
    const taken = await work;
    if (taken.replayed) discard();
    return taken;
  } catch (error) {
    // Rows of a job that may be stored stay: the object looks it up.
    if (!committing || !mayBeStored(error)) discard();
    throw error;
  }
}

async function settle(asked: Asked, id: string, total: number, claim: Claim | undefined): Promise<Taken> {
  const { ctx, jobs } = asked;
  if (total > 0) await reach(ctx, () => jobs.seal(id, total));
  const committed = await insert(asked, id, total, claim);
  const { replay } = committed;
  if (replay !== null) return { row: replay.result as Row, revision: committed.head, replayed: true };
  if (total > 0)
    // Without it the object finds the job by itself, a few seconds later.
    await callRoom(ctx, () => jobs.start(id)).catch(() => ctx.note('jobsError', 'start'));
  ctx.note('entity', formatId('imp', id));
  const [[made]] = committed.rows;
  if (made === undefined) throw new Error('the insert answered no row');
  return { row: made.row, revision: committed.head, replayed: false };
}

async function anyThere({ ctx, deps, principal: { companyId }, request }: Asked, keys: string[]): Promise<boolean> {
  const { table } = request.importer;
  const { rows } = await snapshot(ctx, { database: deps.read, companyId, name: 'imports.known' }, [
    sql`select 1 from ${sql.identifier(table)} x where x.company_id = ${companyId}::uuid
      and x.external_id = any (${sql.param(keys)}::text[]) limit 1`,
  ]);
  return rows[0].length > 0;
}

/** A job takes no revision; it goes the way of a write for the credential and the Idempotency-Key. */
function insert(
  asked: Asked,
  id: string,
  total: number,
  claim: Claim | undefined,
): Promise<Committed<[SQL<{ row: Row }>]>> {
  const { ctx, deps, principal, request } = asked;
  const { companyId, actor } = principal;
  const shown = sql`to_jsonb(imports) - 'company_id' - 'created_by' - 'report_bytes'`;
  const result = sql`select ${shown} from imports where company_id = ${companyId}::uuid and id = ${id}::uuid`;
  const kept = { status: 202, entityId: id, result };
  const writer = principal.writer(PERMISSION);
  return commit(ctx, { database: deps.write, companyId, name: 'imports.create', writer, claim, kept }, [
    sql<{
      row: Row;
    }>`insert into imports (company_id, id, resource, dry_run, total, created_by, status, finished_at)
      values (${companyId}::uuid, ${id}::uuid, ${request.importer.resource}, ${request.dryRun}, ${total}, ${actor},
        ${total === 0 ? 'COMPLETED' : 'QUEUED'}, case when ${total}::int = 0 then clock_timestamp() end)
      returning ${shown} as row`,
  ]);
}

async function reach<T>(ctx: Ctx, call: () => Promise<T>): Promise<T> {
  try {
    return await callRoom(ctx, call);
  } catch (error) {
    throw new AppError('busy', 'The import could not be taken in. Nothing was changed; try again.', {
      extra: { retryAfter: 2 },
      cause: error,
    });
  }
}
