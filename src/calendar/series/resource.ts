import { branches } from '../../catalog/branches/table.ts';
import { formatId } from '../../core/id.ts';
import { clients } from '../../people/clients/table.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { SeriesCreate, SeriesPatch, SeriesView } from './schema.ts';
import { series as table } from './table.ts';

/** A rule by which appointments were booked. When each of them is, and what has become of it, they say themselves. */
export const series = tenantResource(table, {
  entity: 'series',
  prefix: 'ser',
  permission: 'appointments',
  view: SeriesView,
  create: SeriesCreate,
  patch: SeriesPatch,
  references: { branchId: { prefix: 'brch', table: branches }, clientId: { prefix: 'clnt', table: clients } },
  computed: {
    services: (row) =>
      row.services.map(({ serviceId, staffId }) => ({
        serviceId: formatId('svc', serviceId),
        staffId: formatId('stf', staffId),
      })),
    localStart: (row) => row.local_start.slice(0, 16),
  },
  filters: { clientId: { kind: 'id', description: 'Is for this client.' } },
});
