import { type SQL, sql } from 'drizzle-orm';
import { check, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantKey, tenantReference } from '../../data/columns.ts';

export const CLIENT_STATUSES = ['ACTIVE', 'INACTIVE', 'ARCHIVED'] as const;

export const clients = pgTable(
  'clients',
  () => ({
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
  }),
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
    index('clients_search').using('gin', t.companyId, t.searchText.op('gin_trgm_ops')),
    check(
      'clients_identified',
      sql`erased_at is not null or coalesce(first_name, last_name, external_id, email, phone) is not null`,
    ),
  ],
);

/**
 * A client's tags as rows, kept by a trigger, with all that lists of clients sort and filter by: whatever its order, a page of
 * those with a tag is found in the index alone, and counted there.
 */
export const clientTags = pgTable(
  'client_tags',
  () => ({
    companyId: uuid('company_id').notNull(),
    clientId: uuid('client_id').notNull(),
    tag: text('tag').notNull(),
    status: text('status', { enum: CLIENT_STATUSES }).notNull(),
    firstName: text('first_name'),
    lastName: text('last_name'),
    /** Where the name is not made of those two. */
    otherName: text('other_name'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.clientId, t.tag] }),
    tenantReference('client_tags_client', [t.companyId, t.clientId], clients).onDelete('cascade'),
    index('client_tags_created').on(t.companyId, t.tag, t.status, t.createdAt, t.clientId),
  ],
);
