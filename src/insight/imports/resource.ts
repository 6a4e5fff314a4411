import { sql } from 'drizzle-orm';
import { lazyMembers, withMembers } from '../../core/lazy.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { viewing } from '../../resources/viewing.ts';
import { IMPORT_STATUSES, ImportSummary, ImportView } from './schema.ts';
import { PERMISSION } from './service.ts';
import { imports } from './table.ts';

/** A job with its report. It is not logged, so it touches no tag and no registry knows it. */
export const importDetails = tenantResource(imports, {
  entity: 'import',
  prefix: 'imp',
  permission: { read: PERMISSION, write: PERMISSION },
  view: ImportView,
  computed: { rows: (row) => row.report },
  // Nothing is archived: the status parts the rows all the same.
  archive: (fields) => ({
    filter: { status: { kind: 'enumList', values: IMPORT_STATUSES, description: 'One or several.' } },
    parts: ({ filters }) => ({
      column: fields.get('status')?.column ?? sql`null`,
      values: Array.isArray(filters.status) ? filters.status : IMPORT_STATUSES,
      of: (row) => row.status,
    }),
  }),
  filters: {
    resource: { kind: 'text', description: 'What the rows are: clients.' },
    dryRun: { kind: 'boolean', description: 'Whether nothing was to be stored.' },
  },
  sorts: ['finishedAt'],
});

/** Jobs as their list shows them. */
export const importList = lazyMembers(
  withMembers(importDetails, {
    // Column by column: a page of reports would be read, and unpacked, to be thrown away.
    row: sql`(select to_jsonb(shown) from (select imports.id, imports.status, imports.dry_run, imports.resource, imports.total,
    imports.created, imports.updated, imports.unchanged, imports.failed, imports.error, imports.created_at, imports.finished_at) shown)`,
    shown: ImportSummary,
  }),
  ['view', 'list'],
  () => viewing(importDetails, ImportSummary),
);
