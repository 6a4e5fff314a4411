import { boolean, index, jsonb, pgTable, text, unique } from 'drizzle-orm/pg-core';
import { documentColumns, tenantKey } from '../../data/columns.ts';

/** Hours of one weekday (ISO: 1 Monday to 7 Sunday) in the branch's zone; `24:00` is the end of the day. */
export type Hours = { weekday: number; start: string; end: string; validFrom?: string; validTo?: string };
export type Holiday = { date: string; name: string };
export type Address = { line1: string; line2?: string; city: string; postalCode: string; country: string };

export const branches = pgTable(
  'branches',
  {
    ...tenantKey(),
    name: text('name').notNull(),
    timeZone: text('time_zone').notNull(),
    address: jsonb('address').$type<Address>(),
    phone: text('phone'),
    isActive: boolean('is_active').notNull().default(true),
    openingHours: jsonb('opening_hours').$type<Hours[]>().notNull().default([]),
    holidays: jsonb('holidays').$type<Holiday[]>().notNull().default([]),
    externalId: text('external_id'),
    ...documentColumns(),
  },
  (t) => [
    unique('branches_company_id').on(t.companyId, t.id),
    unique('branches_external_id').on(t.companyId, t.externalId),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('branches_created').on(t.companyId, t.isActive, t.createdAt, t.id),
    index('branches_updated').on(t.companyId, t.isActive, t.updatedAt, t.id),
    index('branches_name').on(t.companyId, t.isActive, t.name, t.id),
  ],
);
