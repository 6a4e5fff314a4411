import { type SQL, sql } from 'drizzle-orm';
import { check, index, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantKey } from '../../data/columns.ts';

export const CLIENT_STATUSES = ['ACTIVE', 'INACTIVE', 'ARCHIVED'] as const;

export const clients = pgTable(
  'clients',
  {
    ...tenantKey(),
    firstName: text('first_name'),
    lastName: text('last_name'),
    // STORED: the log's triggers see NULL in virtual generated columns, which are PostgreSQL 18's default.
    name: text('name').generatedAlwaysAs(
      (): SQL =>
        sql`case when erased_at is not null then 'Erased' else coalesce(nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), external_id, email, phone) end`,
    ),
    email: text('email'),
    phone: text('phone'),
    status: text('status', { enum: CLIENT_STATUSES }).notNull().default('ACTIVE'),
    tags: text('tags').array().notNull().default(sql`'{}'`),
    notes: text('notes'),
    customFields: jsonb('custom_fields').$type<Record<string, string | number | boolean>>().notNull().default({}),
    externalId: text('external_id'),
    mergedInto: uuid('merged_into'),
    erasedAt: instant('erased_at'),
    // A space at both ends: 'begins a word' and 'is a word' are plain patterns then.
    searchText: text('search_text').generatedAlwaysAs(
      (): SQL =>
        sql`app.search_fold(' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' ' || coalesce(external_id, '') || ' ')`,
    ),
    ...documentColumns(),
  },
  (t) => [
    unique('clients_company_id').on(t.companyId, t.id),
    unique('clients_external_id').on(t.companyId, t.externalId),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('clients_created').on(t.companyId, t.status, t.createdAt, t.id),
    index('clients_updated').on(t.companyId, t.status, t.updatedAt, t.id),
    index('clients_name').on(t.companyId, t.status, t.lastName, t.id),
    index('clients_first_name').on(t.companyId, t.status, t.firstName, t.id),
    index('clients_full_name').on(t.companyId, t.status, t.name, t.id),
    index('clients_email').on(t.companyId, sql`lower(${t.email})`),
    index('clients_phone').on(t.companyId, t.phone),
    index('clients_tags').using('gin', sql`app.tag_keys(${t.companyId}, ${t.tags})`).with({ fastupdate: false }),
    index('clients_search').using('gin', t.companyId, t.searchText.op('gin_trgm_ops')),
    check(
      'clients_identified',
      sql`erased_at is not null or coalesce(first_name, last_name, external_id, email, phone) is not null`,
    ),
  ],
);
