import { customType, pgTable, unique, uuid } from 'drizzle-orm/pg-core';
import { branches } from '../../catalog/branches/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import { documentColumns, tenantKey, tenantReference } from '../../data/columns.ts';

const hash = customType<{ data: string }>({ dataType: () => 'bytea' });

/** The secret address of a calendar: one of a staff member or of a branch. A new one takes the place of the old. */
export const calendars = pgTable(
  'calendars',
  () => ({
    ...tenantKey(),
    staffId: uuid('staff_id'),
    branchId: uuid('branch_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('calendars_company_id').on(t.companyId, t.id),
    unique('calendars_of_staff').on(t.companyId, t.staffId),
    unique('calendars_of_branch').on(t.companyId, t.branchId),
    tenantReference('calendars_staff', [t.companyId, t.staffId], staff),
    tenantReference('calendars_branch', [t.companyId, t.branchId], branches),
  ],
);

/** The SHA-256 of a calendar's secret, apart from `calendars`, whose rows are published. */
export const calendarSecrets = pgTable(
  'calendar_secrets',
  () => ({
    companyId: uuid('company_id').notNull(),
    calendarId: uuid('calendar_id').primaryKey(),
    hash: hash('hash').notNull(),
  }),
  (t) => [tenantReference('calendar_secrets_calendar', [t.companyId, t.calendarId], calendars).onDelete('cascade')],
);
