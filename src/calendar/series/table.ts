import { index, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import { branches } from '../../catalog/branches/table.ts';
import { documentColumns, tenantKey, tenantReference } from '../../data/columns.ts';
import { clients } from '../../people/clients/table.ts';

/** A rule by which appointments repeat, in local time. Each occurrence is an appointment of its own. */
export const series = pgTable(
  'series',
  () => ({
    ...tenantKey(),
    branchId: uuid('branch_id').notNull(),
    clientId: uuid('client_id'),
    /** RFC 5545, without DTSTART: that is `localStart`. */
    rrule: text('rrule').notNull(),
    localStart: timestamp('local_start', { precision: 0, mode: 'string' }).notNull(),
    timeZone: text('time_zone').notNull(),
    services: jsonb('services').$type<{ serviceId: string; staffId: string }[]>().notNull(),
    notes: text('notes'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('series_company_id').on(t.companyId, t.id),
    unique('series_external_id').on(t.companyId, t.externalId),
    tenantReference('series_branch', [t.companyId, t.branchId], branches),
    tenantReference('series_client', [t.companyId, t.clientId], clients),
    index('series_created').on(t.companyId, t.createdAt, t.id),
    index('series_updated').on(t.companyId, t.updatedAt, t.id),
    index('series_of_client').on(t.companyId, t.clientId),
  ],
);
