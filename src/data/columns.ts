import { sql } from 'drizzle-orm';
import { integer, timestamp, uuid } from 'drizzle-orm/pg-core';

/** An instant kept to the millisecond, so that what an answer shows is exactly what a filter compares. */
export const instant = <const N extends string>(name: N) =>
  timestamp(name, { precision: 3, withTimezone: true, mode: 'string' });

/** The key of every tenant row. Company first: it leads every index and every composite foreign key. */
export const tenantKey = () => ({ companyId: uuid('company_id').notNull(), id: uuid('id').primaryKey() });

/** Kept by the `touch` trigger, never by the application (migrations/*_log.sql). */
export const documentColumns = () => ({
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
  updatedAt: instant('updated_at').notNull().default(sql`clock_timestamp()`),
});
