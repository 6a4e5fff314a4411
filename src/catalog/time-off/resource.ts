import { tenantResource } from '../../resources/tenant-resource.ts';
import { resources } from '../resources/table.ts';
import { staff } from '../staff/table.ts';
import { TimeOffCreate, TimeOffView } from './schema.ts';
import { timeOff as table } from './table.ts';

/** When a staff member is away, or a resource out of use. */
export const timeOff = tenantResource(table, {
  entity: 'time-off',
  prefix: 'toff',
  many: 'time off',
  permission: 'catalog',
  view: TimeOffView,
  create: TimeOffCreate,
  references: { staffId: { prefix: 'stf', table: staff }, resourceId: { prefix: 'rsrc', table: resources } },
  sorts: ['startsAt'],
});
