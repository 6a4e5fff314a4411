import { char, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { documentColumns } from '../../data/columns.ts';

export const companies = pgTable('companies', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  currency: char('currency', { length: 3 }).notNull(),
  timeZone: text('time_zone').notNull(),
  externalId: text('external_id'),
  ...documentColumns(),
});
