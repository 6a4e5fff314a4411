import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { AppError, ERROR_CODES } from '../../core/errors.ts';
import { formatId, parseId } from '../../core/id.ts';
import { parseMinRevision } from '../../core/revision.ts';
import { type Row, rowsOf, snapshot } from '../../data/log.ts';
import { admit } from '../../data/write.ts';
import { admissionOf } from '../../http/admission.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { NOBODY } from '../../http/list.ts';
import { confirmLife } from '../../http/read.ts';
import type { RouteModule } from '../../http/route.ts';
import { send, sendJson } from '../../http/send.ts';
import type { JobsApi } from '../../jobs/api.ts';
import type { Importers } from './importer.ts';
import { type ImportRequest, QUERY, readRequest } from './request.ts';
import { ImportView, viewOf } from './schema.ts';
import { PERMISSION, takeImport, WEIGHT } from './service.ts';
import { drain } from './upload.ts';

function post(importers: Importers) {
  async function read(c: AppContext): Promise<ImportRequest> {
    const { ctx, doors } = c.env;
    let request: ImportRequest;
    try {
      request = readRequest(c, importers);
    } catch (error) {
      if (error instanceof AppError && ERROR_CODES[error.code].status < 500)
        await admit(ctx, doors, admissionOf(c, null, WEIGHT, 'write'));
      throw error;
    }
    // Before the file is read: nobody's ten megabytes are taken in who may not import.
    await admit(ctx, doors, admissionOf(c, PERMISSION, WEIGHT, 'write'));
    return request;
  }

  return async function postImport(c: AppContext): Promise<Response> {
    const { ctx, doors } = c.env;
    const principal = principalOf(c);
    const { companyId } = principal;
    const file = c.req.raw.body;
    let request: ImportRequest;
    try {
      request = await read(c);
    } catch (error) {
      await drain(file);
      throw error;
    }
    const { JOBS } = c.env.bindings;
    const jobs = JOBS.get(JOBS.idFromName(companyId)) as unknown as JobsApi;
    const taken = await takeImport({ ctx, doors, jobs, principal, request, route: c.req.path }, file);
    const view = viewOf(taken.row);
    const headers: Record<string, string> = { 'Cache-Control': 'no-store', Location: `${c.req.path}/${view.id}` };
    if (taken.replayed) headers['Idempotency-Replayed'] = 'true';
    return sendJson(c, 202, view, { revision: taken.revision, headers });
  };
}

/** GET of a job: from Postgres each time, because a job is not logged and so no revision says when it changed. */
async function get(c: AppContext): Promise<Response> {
  const { ctx, doors } = c.env;
  const principal = principalOf(c);
  const { companyId } = principal;
  let min: number;
  try {
    min = parseMinRevision(c.req.header('Min-Revision'));
    const [parameter] = new URL(c.req.url).searchParams.keys();
    if (parameter !== undefined) {
      const detail = 'This takes no query parameters.';
      throw new AppError('unknown_parameter', detail, { faults: [{ parameter, code: 'unknown_parameter', detail }] });
    }
  } catch (error) {
    await admit(ctx, doors, admissionOf(c, null, 1, 'write'));
    throw error;
  }
  const admission = admissionOf(c, PERMISSION, 1, 'read');
  if (!(await admit(ctx, doors, admission))) await confirmLife(ctx, doors, principal, admission);
  const id = parseId('imp', c.req.param('id') ?? '') ?? NOBODY;
  const { revision, results } = await snapshot(ctx, doors.read, companyId, 'imports.detail', (db) => [
    db.execute(
      sql`select to_jsonb(imports) as row from imports where company_id = ${companyId}::uuid and id = ${id}::uuid`,
    ),
  ]);
  if (revision < min)
    throw new AppError('revision_ahead', `The company is at revision ${revision}.`, { extra: { revision } });
  const row = rowsOf(results[0])[0]?.row as Row | undefined;
  if (row === undefined) throw new AppError('not_found', 'There is no such import.');
  const body = JSON.stringify(viewOf(row));
  const etag = `W/"${createHash('sha256')
    .update(`${formatId('comp', companyId)}\n${body}`)
    .digest('base64url')
    .slice(0, 22)}"`;
  const headers = {
    ETag: etag,
    'Cache-Control': 'private, no-cache',
    Vary: 'Authorization, Accept, Accept-Encoding',
    'X-Cache': 'BYPASS',
    'Cache-Status': 'ClientsPlus; fwd=bypass',
  };
  // Whoever polls is spared a long report that has not changed (RFC 9110, 13.1.2).
  const held =
    c.req
      .header('If-None-Match')
      ?.split(',')
      .map((tag) => tag.trim()) ?? [];
  if (held.includes(etag) || held.includes('*')) return send(c, { status: 304, body: null, revision, headers });
  return send(c, { status: 200, body, type: 'application/json', revision, headers });
}

const FILE = `The body is a file of at most 10 MiB: \`text/csv\` (RFC 4180, UTF-8, with a header row) or \`application/x-ndjson\`
(an object per line). \`externalId\` is the match key: a row whose external id exists updates, any other creates; a column that
is absent leaves, an empty cell clears. In CSV, \`tags\` are separated by \`|\` and \`customFields.<key>\` is a column. Rows with
faults are reported and left out, all others go in; a repeat of the file changes nothing. Fields that an export shows but
nobody writes (\`id\`, \`name\`, \`version\` …) are ignored, and so is the apostrophe an export puts before formulas.`;

const tag = 'Imports';

export const importRoutes = (importers: Importers): RouteModule => [
  {
    method: 'post',
    path: '/imports',
    tag,
    summary: 'Import a file',
    description: FILE,
    permission: PERMISSION,
    query: QUERY,
    file: ['text/csv', 'application/x-ndjson'],
    success: { status: 202, schema: ImportView, description: 'The job; ask its Location how it goes' },
    errors: ['invalid_parameter', 'malformed_file'],
    handler: post(importers),
  },
  {
    method: 'get',
    path: '/imports/:id',
    tag,
    summary: 'Read an import and its report',
    permission: PERMISSION,
    success: { status: 200, schema: ImportView, description: 'The job as it is now', revalidated: true },
    errors: ['not_found'],
    handler: get,
  },
];
