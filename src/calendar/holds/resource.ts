import { branches } from '../../catalog/branches/table.ts';
import { withMembers } from '../../core/lazy.ts';
import { clients } from '../../people/clients/table.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { fitting } from '../asked.ts';
import { marksTaken, touchedBusy } from '../busy-days.ts';
import { occupiedShown, partsShown } from '../shown.ts';
import { HoldCreate, HoldView } from './schema.ts';
import { holds } from './table.ts';

const made = tenantResource(holds, {
  entity: 'hold',
  prefix: 'hold',
  permission: 'appointments',
  view: HoldView,
  create: HoldCreate,
  references: { branchId: { prefix: 'brch', table: branches }, clientId: { prefix: 'clnt', table: clients } },
  computed: { services: (row) => partsShown(row.services), resources: (row) => occupiedShown(row.resources) },
  constraints: fitting('holds'),
  touches: touchedBusy,
});

export const hold = withMembers(made, { marksTaken });
