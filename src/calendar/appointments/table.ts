import { type SQL, sql } from 'drizzle-orm';
import {
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  time,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { branches } from '../../catalog/branches/table.ts';
import { services } from '../../catalog/services/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import type { Money } from '../../core/currency.ts';
import { documentColumns, instant, tenantKey, tenantReference } from '../../data/columns.ts';
import { clients } from '../../people/clients/table.ts';
import type { Occupied, Part } from '../parts.ts';
import { series } from '../series/table.ts';

export const APPOINTMENT_STATUSES = [
  'PENDING',
  'CONFIRMED',
  'CHECKED_IN',
  'IN_PROGRESS',
  'COMPLETED',
  'CANCELLED',
  'NO_SHOW',
] as const;
export type AppointmentStatus = (typeof APPOINTMENT_STATUSES)[number];

/** They free the time that was booked. */
export const FREED: ReadonlySet<unknown> = new Set<AppointmentStatus>(['CANCELLED', 'NO_SHOW']);
/** What is over: the time is part of what happened, or did not. Who confirms a cancelled one again may move it. */
export const OVER: ReadonlySet<unknown> = new Set<AppointmentStatus>(['COMPLETED', 'CANCELLED', 'NO_SHOW']);

/** `by` as the log names actors. */
export type StatusEntry = { status: AppointmentStatus; at: string; by: string; reason: string | null };

export const appointments = pgTable(
  'appointments',
  () => ({
    ...tenantKey(),
    branchId: uuid('branch_id').notNull(),
    clientId: uuid('client_id'),
    seriesId: uuid('series_id'),
    /** Where the series had it, in local time: which occurrence it is, wherever it was moved since. */
    originalStart: timestamp('original_start', { precision: 0, mode: 'string' }),
    /** The hold it was booked from, which it ended. */
    holdId: uuid('hold_id'),
    services: jsonb('services').$type<Part[]>().notNull(),
    resources: jsonb('resources').$type<Occupied[]>().notNull().default([]),
    startsAt: instant('starts_at').notNull(),
    /** Kept by the database: the end of the last part. */
    endsAt: instant('ends_at').notNull(),
    /** The branch's when it was booked. */
    timeZone: text('time_zone').notNull(),
    /** What the wall clock shows at the start. Kept by the database, from what a booking was planned by (src/calendar/clock.ts). */
    localDate: date('local_date', { mode: 'string' }).notNull(),
    localStart: time('local_start').notNull(),
    /** Of the first part. */
    staffId: uuid('staff_id').generatedAlwaysAs((): SQL => sql`(services -> 0 ->> 'staffId')::uuid`),
    status: text('status', { enum: APPOINTMENT_STATUSES }).notNull().default('PENDING'),
    /** Of the present status. */
    statusReason: text('status_reason'),
    /** Kept by the database; written by imports, and to go several steps at once. */
    statusHistory: jsonb('status_history').$type<StatusEntry[]>().notNull().default([]),
    notes: text('notes'),
    price: jsonb('price').$type<Money>(),
    /** An open set. Only an import begins in any status. */
    source: text('source').notNull().default('STAFF'),
    /** On purpose over others: it stands outside the rule. */
    allowOverlap: boolean('allow_overlap').notNull().default(false),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('appointments_company_id').on(t.companyId, t.id),
    unique('appointments_external_id').on(t.companyId, t.externalId),
    unique('appointments_occurrence').on(t.companyId, t.seriesId, t.originalStart),
    tenantReference('appointments_branch', [t.companyId, t.branchId], branches),
    tenantReference('appointments_client', [t.companyId, t.clientId], clients),
    tenantReference('appointments_series', [t.companyId, t.seriesId], series),
    index('appointments_branch_day').on(t.companyId, t.branchId, t.localDate, t.status),
    index('appointments_day').on(t.companyId, t.localDate, t.status, t.branchId),
    index('appointments_client_created').on(t.companyId, t.clientId, t.createdAt, t.id),
    index('appointments_client_starts').on(t.companyId, t.clientId, t.startsAt, t.id),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('appointments_created').on(t.companyId, t.status, t.createdAt, t.id),
    index('appointments_updated').on(t.companyId, t.status, t.updatedAt, t.id),
    index('appointments_starts').on(t.companyId, t.status, t.startsAt, t.id),
  ],
);

/** The parts as rows, kept by a trigger: what holds the references, finds a staff member's day and serves analytics. */
export const appointmentParts = pgTable(
  'appointment_parts',
  () => ({
    companyId: uuid('company_id').notNull(),
    appointmentId: uuid('appointment_id').notNull(),
    position: integer('position').notNull(),
    serviceId: uuid('service_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    localDate: date('local_date', { mode: 'string' }).notNull(),
    localStart: time('local_start').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.appointmentId, t.position] }),
    tenantReference('appointment_parts_appointment', [t.companyId, t.appointmentId], appointments).onDelete('cascade'),
    tenantReference('appointment_parts_service', [t.companyId, t.serviceId], services),
    tenantReference('appointment_parts_staff', [t.companyId, t.staffId], staff),
    index('appointment_parts_staff_day').on(t.companyId, t.staffId, t.localDate, t.localStart),
    index('appointment_parts_service_day').on(t.companyId, t.serviceId, t.localDate),
  ],
);

/** Who does them, kept by a trigger, with all that lists sort and filter by. */
export const appointmentStaff = pgTable(
  'appointment_staff',
  () => ({
    companyId: uuid('company_id').notNull(),
    appointmentId: uuid('appointment_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    status: text('status', { enum: APPOINTMENT_STATUSES }).notNull(),
    branchId: uuid('branch_id').notNull(),
    clientId: uuid('client_id'),
    seriesId: uuid('series_id'),
    startsAt: instant('starts_at').notNull(),
    localDate: date('local_date', { mode: 'string' }).notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.appointmentId, t.staffId] }),
    tenantReference('appointment_staff_appointment', [t.companyId, t.appointmentId], appointments).onDelete('cascade'),
    index('appointment_staff_created').on(t.companyId, t.staffId, t.status, t.createdAt, t.appointmentId),
  ],
);
