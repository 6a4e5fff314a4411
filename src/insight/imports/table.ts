import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, text, unique } from 'drizzle-orm/pg-core';
import { instant, tenantKey } from '../../data/columns.ts';

/** One import job and its report. A job is no document: it is not logged and takes no revision; what it writes does. */
export const imports = pgTable(
  'imports',
  () => ({
    ...tenantKey(),
    resource: text('resource').notNull(),
    dryRun: boolean('dry_run').notNull(),
    status: text('status', { enum: ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED'] })
      .notNull()
      .default('QUEUED'),
    total: integer('total').notNull().default(0),
    created: integer('created').notNull().default(0),
    updated: integer('updated').notNull().default(0),
    unchanged: integer('unchanged').notNull().default(0),
    failed: integer('failed').notNull().default(0),
    /** Rows that were not taken: [{row, status, errors}]; no values of theirs. */
    report: jsonb('report').notNull().default([]),
    /** Bytes of all failures, those included that the report has no room for. */
    reportBytes: integer('report_bytes').notNull().default(0),
    /** Why it failed as a whole: {code, detail}. */
    error: jsonb('error').$type<{ code: string; detail: string }>(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
    finishedAt: instant('finished_at'),
  }),
  (t) => [
    unique('imports_company_id').on(t.companyId, t.id),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('imports_created').on(t.companyId, t.status, t.createdAt, t.id),
    index('imports_finished').on(t.companyId, t.status, t.finishedAt, t.id),
    index('imports_expiry').on(sql`coalesce(${t.finishedAt}, ${t.createdAt})`),
  ],
);
