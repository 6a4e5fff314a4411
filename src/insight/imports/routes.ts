import { admit } from '../../data/admit.ts';
import { jobsOf } from '../../env.ts';
import { admissionOf } from '../../http/admission.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { type RouteModule, routesBelow } from '../../http/route.ts';
import { page } from '../../http/schemas.ts';
import { sendJson } from '../../http/send.ts';
import { submitted } from '../../resources/admitted.ts';
import { fingerprintOf } from '../../resources/idempotency.ts';
import type { Importers } from '../../resources/importer.ts';
import { detailRoute, listRoute } from '../../resources/list.ts';
import { columnsOf } from '../../resources/place.ts';
import { readUncached } from '../../resources/uncached.ts';
import { cancelImport } from './cancel.ts';
import { FILE_TYPES, type ImportRequest, queryOf, readRequest } from './request.ts';
import { importDetails, importList } from './resource.ts';
import { ImportSummary, ImportView } from './schema.ts';
import { PERMISSION, takeImport, WEIGHT } from './service.ts';
import { drain } from './upload.ts';

function post(importers: Importers) {
  /** What is wanted of a file, before it is read: nobody's ten megabytes are taken in who may not import. */
  async function read(c: AppContext): Promise<ImportRequest> {
    const terms = { permission: PERMISSION, weight: WEIGHT };
    const steps = { read: () => readRequest(c, importers), judge: (request: ImportRequest) => request };
    const { body, admission } = await submitted(c, terms, steps);
    await admit(c.env, admission);
    return body;
  }

  return async function postImport(c: AppContext): Promise<Response> {
    const { ctx, deps } = c.env;
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
    const jobs = jobsOf(c.env.bindings, deps.settings, companyId);
    const taken = await takeImport(
      {
        ctx,
        deps,
        jobs,
        principal,
        request,
        route: c.req.path,
        fingerprint: fingerprintOf(c),
        charge: (weight) => admit(c.env, admissionOf(c, { permission: PERMISSION, weight }, 'write')),
      },
      file,
    );
    const view = importDetails.view(taken.row, importDetails.version);
    const headers: Record<string, string> = { 'Cache-Control': 'no-store', Location: `${c.req.path}/${view.id}` };
    if (taken.replayed) headers['Idempotency-Replayed'] = 'true';
    return sendJson(c, 202, view, { revision: taken.revision, headers });
  };
}

const FILE = `The body is a file of at most 10 MiB and 100,000 rows: \`text/csv\` (RFC 4180 with a header row; separated by
commas, semicolons or tabs, in UTF-8 or Latin-1, both found out) or \`application/x-ndjson\` (an object per line). A row whose
match key exists updates, any other creates; a column that is absent leaves, an empty cell clears. Others are named by their
external id, \`branchExternalId\` in the place of \`branchId\`, where it is there. In CSV the values of a list are separated by
\`|\` (or JSON: \`["a|b","c"]\`), members of objects are columns (\`customFields.<key>\`, \`price.amount\`), and so are those of a
list of objects, counted from 1 (\`lines.1.description\`, \`lines.1.unitPrice.amount\`, \`lines.2.description\`); either may also
stand in one cell as JSON, as in exports. Faults are named by their place in the object (\`/lines/0/description\`). A phone number may be written with spaces, dashes and \`00\`. A file none of whose columns is known, or that lacks one
it needs, is refused whole (422), naming in \`missing\` and \`columns\` what it lacks and what it has: the match key, and what new objects need
where none of its rows is about one that is there. Rows with faults are reported and left out, all others go in; a repeat of the file changes nothing. Fields that
an export shows but nobody writes (\`id\`, \`name\`, \`version\` …) are ignored, and so is the apostrophe an export puts before
formulas. Costs 5 units of the rate limit and one more per 1,000 rows. The job and its report are kept for 30 days after it has
ended; the file is not kept. What an export writes an import reads, in another company too:
branches by hand first, then services, staff, services again, resources, clients, appointments, invoices. Services and staff name each
other, so terms of a service for staff who are not there yet are left out, the row is taken and reported as INCOMPLETE, and the file
again completes it.

Of appointments all may have been at any time and have ended in any status, whatever working hours say; \`statusHistory\` tells how.
What a service says of its name, length, price and taxes is as it was booked, else as the catalogue has it when the row comes first.
Of those that overlap the later ones by start, then by row, get \`allowOverlap\`, as few as can be; what was booked here gives way to none. Of statuses
only steps forward are taken. Resources that no row names are chosen for what is still to come.

Invoices are OPEN unless they say otherwise, and keep their \`number\`: in the series IMPORTED, beside the counter of their branch,
which it neither moves nor meets; there a number stands once per branch. PAID ones need payments of their total. Sums that are given
are held against what the lines come to. A payment is known again by its \`externalId\`, else by what it says, amount and method at least: one without time
or reference is one that is there, and only what is left is new. So are its \`refunds\` (\`[{amount, reason?, refundedAt?, externalId?}]\`),
what of it went back.`;

/** Columns by resource, with a line as an example. Made when the document is: the columns are those of a schema. */
const columnsByResource = (importers: Importers): string =>
  [...importers.values()]
    .map(({ resource, schema, example }) => {
      const columns = columnsOf(schema('externalId')).map((name) => `\`${name}\``);
      return `- **${resource}**: ${columns.join(', ')}. \`${JSON.stringify(example)}\``;
    })
    .join('\n');

const EXAMPLES = {
  'text/csv': 'externalId,firstName,customFields.shoe\r\ncrm-1042,Anna,38\r\n',
  'application/x-ndjson': '{"externalId":"crm-1042","firstName":"Anna","customFields":{"shoe":38}}\n',
};

const tag = 'Imports';

export const importRoutes = (known: () => Importers): RouteModule =>
  routesBelow(['imports'], () => {
    const importers = known();
    return [
      {
        method: 'post',
        path: '/imports',
        tag,
        summary: 'Import a file',
        get description() {
          return `${FILE}\n\nColumns:\n\n${columnsByResource(importers)}`;
        },
        permission: PERMISSION,
        query: queryOf(importers),
        file: FILE_TYPES,
        fileExamples: EXAMPLES,
        success: { status: 202, schema: ImportView, description: 'The job; ask its Location how it goes' },
        errors: ['invalid_parameter', 'unknown_parameter', 'malformed_file', 'invalid_body'],
        handler: post(importers),
      },
      {
        method: 'get',
        path: '/imports',
        tag,
        summary: 'List imports',
        description: 'Without their reports, which have a route of their own.',
        permission: PERMISSION,
        list: importList.list,
        success: { status: 200, schema: page(ImportSummary), description: 'A page of imports' },
        errors: ['use_cursor', 'invalid_cursor', 'cursor_mismatch'],
        handler: readUncached(listRoute(importList), false),
      },
      {
        method: 'get',
        path: '/imports/:id',
        tag,
        summary: 'Read an import and its report',
        description: 'Ask again until its status is COMPLETED or FAILED.',
        permission: PERMISSION,
        detail: importDetails.list,
        success: { status: 200, schema: ImportView, description: 'The job as it is now', revalidated: true },
        errors: ['not_found'],
        handler: readUncached(detailRoute(importDetails), true),
      },
      {
        method: 'post',
        path: '/imports/:id/cancel',
        tag,
        summary: 'Cancel an import',
        description:
          'A job that is waiting or running ends as FAILED with the code `cancelled`; rows taken before stay. One that has ended is answered as it is.',
        permission: PERMISSION,
        ignoresKey: true,
        success: { status: 200, schema: ImportView, description: 'The job as it is now' },
        errors: ['not_found'],
        handler: cancelImport,
      },
    ];
  });
