import { boolean, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { documentColumns, tenantIndexes, tenantKey } from '../../data/columns.ts';

/** Hours of one weekday (ISO: 1 Monday to 7 Sunday) in the branch's zone; `24:00` is the end of the day. */
export type Hours = { weekday: number; start: string; end: string; validFrom?: string; validTo?: string };
export type Holiday = { date: string; name: string };
export type Address = { line1: string; line2?: string; city: string; postalCode: string; country: string };

export const branches = pgTable(
  'branches',
  () => ({
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
  }),
  (t) => tenantIndexes(t, { table: 'branches', part: t.isActive, sorts: { name: t.name } }),
);
