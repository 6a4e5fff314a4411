import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantKey, tenantReference } from '../../data/columns.ts';
import { resources } from '../resources/table.ts';
import { staff } from '../staff/table.ts';

/** When a staff member is away, or a resource out of use; entries may overlap. */
export const timeOff = pgTable(
  'time_off',
  () => ({
    ...tenantKey(),
    staffId: uuid('staff_id'),
    resourceId: uuid('resource_id'),
    startsAt: instant('starts_at').notNull(),
    endsAt: instant('ends_at').notNull(),
    reason: text('reason'),
    /** An open set: imported calendars come later. */
    source: text('source').notNull().default('MANUAL'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('time_off_company_id').on(t.companyId, t.id),
    unique('time_off_external_id').on(t.companyId, t.externalId),
    tenantReference('time_off_staff', [t.companyId, t.staffId], staff),
    tenantReference('time_off_resource', [t.companyId, t.resourceId], resources),
    // One per sort and owner, ascending (src/data/walk.ts).
    index('time_off_staff_starts').on(t.companyId, t.staffId, t.startsAt, t.id),
    index('time_off_staff_created').on(t.companyId, t.staffId, t.createdAt, t.id),
    index('time_off_staff_updated').on(t.companyId, t.staffId, t.updatedAt, t.id),
    index('time_off_resource_starts').on(t.companyId, t.resourceId, t.startsAt, t.id),
    index('time_off_resource_created').on(t.companyId, t.resourceId, t.createdAt, t.id),
    index('time_off_resource_updated').on(t.companyId, t.resourceId, t.updatedAt, t.id),
  ],
);
