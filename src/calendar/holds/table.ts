import { sql } from 'drizzle-orm';
import { index, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { branches } from '../../catalog/branches/table.ts';
import { documentColumns, instant, tenantKey, tenantReference } from '../../data/columns.ts';
import { clients } from '../../people/clients/table.ts';
import type { Occupied, Part } from '../parts.ts';

/** A slot that is kept for somebody for a while, inside the rule that nothing is booked twice. */
export const holds = pgTable(
  'holds',
  () => ({
    ...tenantKey(),
    branchId: uuid('branch_id').notNull(),
    clientId: uuid('client_id'),
    services: jsonb('services').$type<Part[]>().notNull(),
    resources: jsonb('resources').$type<Occupied[]>().notNull().default([]),
    startsAt: instant('starts_at').notNull(),
    /** Kept by the database: the end of the last part. */
    endsAt: instant('ends_at').notNull(),
    timeZone: text('time_zone').notNull(),
    /** An open set: waiting lists come later. */
    purpose: text('purpose').notNull().default('BOOKING'),
    expiresAt: instant('expires_at').notNull().default(sql`clock_timestamp() + interval '5 minutes'`),
    ...documentColumns(),
  }),
  (t) => [
    unique('holds_company_id').on(t.companyId, t.id),
    tenantReference('holds_branch', [t.companyId, t.branchId], branches),
    tenantReference('holds_client', [t.companyId, t.clientId], clients),
    index('holds_created').on(t.companyId, t.createdAt, t.id),
    index('holds_of_client').on(t.companyId, t.clientId),
    index('holds_expiry').on(t.expiresAt),
  ],
);
