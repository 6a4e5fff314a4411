import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { Money } from '../../core/currency.ts';
import { documentColumns, tenantIndexes, tenantKey, tenantReference } from '../../data/columns.ts';
import { staff } from '../staff/table.ts';

/** Minutes after the start of the service from which the client stays and the staff member is free. */
export type Processing = { afterMinutes: number; minutes: number };
export type Tax = { name: string; rateBasisPoints: number };
/** What the service costs or takes with one staff member; absent: as with everybody. */
type StaffTerms = { staffId: string; price?: Money; durationMinutes?: number };

export const services = pgTable(
  'services',
  () => ({
    ...tenantKey(),
    name: text('name').notNull(),
    code: text('code'),
    category: text('category'),
    durationMinutes: integer('duration_minutes').notNull(),
    bufferBeforeMinutes: integer('buffer_before_minutes').notNull().default(0),
    bufferAfterMinutes: integer('buffer_after_minutes').notNull().default(0),
    processing: jsonb('processing').$type<Processing[]>().notNull().default([]),
    /** Kinds of resource it occupies throughout; a kind named twice needs two of them. */
    requires: text('requires').array().notNull().default(sql`'{}'`),
    /** Null: told on the day. */
    price: jsonb('price').$type<Money>(),
    taxes: jsonb('taxes').$type<Tax[]>().notNull().default([]),
    isActive: boolean('is_active').notNull().default(true),
    staff: jsonb('staff').$type<StaffTerms[]>().notNull().default([]),
    leadTimeMinutes: integer('lead_time_minutes'),
    horizonDays: integer('horizon_days'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [...tenantIndexes(t, { table: 'services', part: t.isActive, sorts: { name: t.name } })],
);

/**
 * Who offers what, kept by triggers: a staff member offers the services in their `service_ids`, and those that have terms
 * for them. One row for each of the two, so that taking back one leaves the other.
 */
export const offers = pgTable(
  'offers',
  () => ({
    companyId: uuid('company_id').notNull(),
    serviceId: uuid('service_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    saidBy: text('said_by', { enum: ['staff', 'service'] }).notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.serviceId, t.staffId, t.saidBy] }),
    tenantReference('offers_service', [t.companyId, t.serviceId], services),
    tenantReference('offers_staff', [t.companyId, t.staffId], staff),
    index('offers_of_staff').on(t.companyId, t.staffId, t.serviceId),
  ],
);
