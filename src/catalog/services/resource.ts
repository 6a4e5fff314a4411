import { sql } from 'drizzle-orm';
import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { inside, outside, sameList } from '../ids.ts';
import { staff } from '../staff/table.ts';
import { ServiceCreate, ServiceFile, ServicePatch, ServiceView } from './schema.ts';
import { services } from './table.ts';

export const service = tenantResource(services, {
  entity: 'service',
  prefix: 'svc',
  permission: 'catalog',
  view: ServiceView,
  create: ServiceCreate,
  patch: ServicePatch,
  imports: {
    example: {
      ...{ externalId: 'cut', name: 'Cut', durationMinutes: 45, price: { amount: 4500, currency: 'EUR' } },
      staff: [{ staffExternalId: 'jj', durationMinutes: 30 }],
    },
    reads: ServiceFile,
    within: { staff: { staffId: { prefix: 'stf', table: staff } } },
    // Staff name what they offer, too: files of services come first.
    later: ['staff'],
  },
  computed: { staff: (row) => outside('stf', 'staffId', row.staff) },
  // A price is replaced as a whole: half of another's currency would be no price.
  stored: { staff: inside('stf', 'staffId'), price: (value) => value ?? null },
  archive: byFlag('isActive'),
  filters: {
    category: { kind: 'text', description: 'Is in this category.' },
    staffId: {
      kind: 'id',
      prefix: 'stf',
      description: 'This staff member offers it.',
      // Looked up for each row that a walk passes, see src/catalog/staff/resource.ts.
      condition: (id) => ({
        where: sql`exists (select from offers o where o.company_id = services.company_id and o.service_id = services.id
          and o.staff_id = ${id}::uuid offset 0)`,
        find: (
          most,
        ) => sql`(select s.* from services s where s.company_id = app.company() and s.id in (select o.service_id from offers o
          where o.company_id = app.company() and o.staff_id = ${id}::uuid) limit ${most})`,
      }),
    },
  },
  sorts: ['name'],
  // Lists of staff may ask what they offer.
  touches: ({ before, after }) => (sameList(before?.staff, after?.staff) ? [] : ['staff']),
  constraints: {
    services_processing: {
      code: 'invalid_body',
      pointer: '/processing',
      detail: 'Must lie within the duration, in order and apart.',
    },
    offers_staff: { code: 'unknown_reference', pointer: '/staff', detail: 'There is no such staff member.' },
  },
});
