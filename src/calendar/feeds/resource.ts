import { branches } from '../../catalog/branches/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { CalendarView } from './schema.ts';
import { calendars } from './table.ts';

/** Addresses of calendars as the log knows them: that there is one, never which. */
export const calendar = tenantResource(calendars, {
  entity: 'calendar',
  prefix: 'cal',
  permission: 'catalog',
  view: CalendarView,
  references: { staffId: { prefix: 'stf', table: staff }, branchId: { prefix: 'brch', table: branches } },
});
