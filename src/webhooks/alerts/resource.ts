import { sql } from 'drizzle-orm';
import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { AlertCreate, AlertPatch, AlertView } from './schema.ts';
import { alerts } from './table.ts';

const archived = byFlag('isActive');

export const alert = tenantResource(alerts, {
  entity: 'alert',
  prefix: 'alrt',
  permission: { read: 'alerts', write: 'alerts' },
  view: AlertView,
  create: AlertCreate,
  patch: AlertPatch,
  archive: (fields, many) => ({
    ...archived(fields, many),
    archive: () => sql`is_active = false, state = 'OK', state_since = null`,
  }),
});
