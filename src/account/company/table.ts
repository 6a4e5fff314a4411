import { boolean, char, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns } from '../../data/columns.ts';

export const companies = pgTable(
  'companies',
  () => ({
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    timeZone: text('time_zone').notNull(),
    /** Whether prices contain their taxes, as in Europe, or not, as in North America. Invoices keep what was so when they were made. */
    pricesIncludeTax: boolean('prices_include_tax').notNull().default(false),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  // Amounts refer to it: a currency that is used stays.
  (t) => [unique('companies_currency').on(t.id, t.currency)],
);
