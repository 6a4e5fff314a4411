import { sql } from 'drizzle-orm';
import { plainAction } from '../../data/registry.ts';
import type { Resource } from '../../resources/resource.ts';
import { documentConditions, documentFilters, documentSorts } from '../../resources/row-sql.ts';
import { IMPORT_STATUSES, ImportSummary, ImportView, summaryOf, viewOf } from './schema.ts';
import { PERMISSION } from './service.ts';

const table = sql`imports`;
const { createdAfter, createdBefore } = documentFilters;

/** Jobs as their list shows them. They are not logged, so they touch no tag and no registry knows them. */
export const importList: Resource = {
  entity: 'import',
  topic: 'imports',
  prefix: 'imp',
  permission: PERMISSION,
  view: summaryOf,
  tagsTouched: () => [],
  action: plainAction,
  version: 1,
  writePermission: PERMISSION,
  table,
  // Column by column: a page of reports would be read, and unpacked, to be thrown away.
  row: sql`(select to_jsonb(shown) from (select imports.id, imports.status, imports.dry_run, imports.resource, imports.total,
    imports.created, imports.updated, imports.unchanged, imports.failed, imports.error, imports.created_at, imports.finished_at) shown)`,
  id: sql`imports.id`,
  companyId: sql`imports.company_id`,
  list: {
    filters: {
      status: { kind: 'enumList', values: IMPORT_STATUSES, description: 'One or several.' },
      resource: { kind: 'text', description: 'What the rows are: clients.' },
      dryRun: { kind: 'boolean', description: 'Whether nothing was to be stored.' },
      createdAfter,
      createdBefore,
    },
    sorts: ['createdAt', 'finishedAt'],
    fields: Object.keys(ImportSummary.shape),
  },
  sorts: {
    createdAt: documentSorts(table).createdAt,
    finishedAt: { column: sql`imports.finished_at`, type: 'timestamptz', nullable: true, property: 'finished_at' },
  },
  parts: ({ filters }) => ({
    column: sql`imports.status`,
    values: (filters.status as string[] | undefined) ?? IMPORT_STATUSES,
  }),
  filters({ filters }) {
    const { resource, dryRun } = filters;
    return [
      ...(resource === undefined ? [] : [{ where: sql`imports.resource = ${resource}` }]),
      ...(dryRun === undefined ? [] : [{ where: sql`imports.dry_run = ${dryRun}::boolean` }]),
      ...documentConditions(table, filters),
    ];
  },
  listTags: () => [],
  detailTags: () => [],
};

/** A job with its report. */
export const importDetails: Resource = {
  ...importList,
  view: viewOf,
  row: sql`to_jsonb(imports)`,
  list: { ...importList.list, fields: Object.keys(ImportView.shape) },
};
