import { type SQL, sql } from 'drizzle-orm';
import { users } from '../../account/users/table.ts';
import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { branches } from '../branches/table.ts';
import { inside, outside, sameList } from '../ids.ts';
import { services } from '../services/table.ts';
import { StaffCreate, StaffFile, StaffPatch, StaffView } from './schema.ts';
import { staff } from './table.ts';

/** Finds rows by what else names them. */
const among = (ids: SQL) => (most: number) =>
  sql`(select s.* from staff s where s.company_id = app.company() and s.id in (${ids}) limit ${most})`;

export const staffMember = tenantResource(staff, {
  entity: 'staff',
  prefix: 'stf',
  one: 'staff member',
  many: 'staff',
  permission: 'catalog',
  view: StaffView,
  create: StaffCreate,
  patch: StaffPatch,
  imports: {
    example: { externalId: 'jj', firstName: 'Jay', branchExternalIds: ['main'], serviceExternalIds: ['cut'] },
    oneOf: ['firstName', 'lastName'],
    reads: StaffFile,
    within: { workingHours: { branchId: { prefix: 'brch', table: branches } } },
  },
  computed: { workingHours: (row) => outside('brch', 'branchId', row.working_hours) },
  stored: { workingHours: inside('brch', 'branchId') },
  references: {
    userId: { prefix: 'usr', table: users },
    branchIds: { prefix: 'brch', table: branches },
    serviceIds: { prefix: 'svc', table: services },
  },
  archive: byFlag('isActive'),
  // Looked up for each row that a walk passes (`offset 0`): as joins these read all of the branch's or service's for each. Where few
  // have it, they are found by theirs.
  filters: {
    branchId: {
      kind: 'id',
      prefix: 'brch',
      description: 'Works at this branch.',
      condition: (id) => ({
        where: sql`exists (select from staff_branches b where b.company_id = staff.company_id and b.staff_id = staff.id and b.branch_id = ${id}::uuid offset 0)`,
        holds: ({ branch_ids: ids }) => Array.isArray(ids) && ids.includes(id),
        find: among(
          sql`select b.staff_id from staff_branches b where b.company_id = app.company() and b.branch_id = ${id}::uuid`,
        ),
      }),
    },
    serviceId: {
      kind: 'id',
      prefix: 'svc',
      description: 'Offers this service.',
      condition: (id) => ({
        where: sql`exists (select from offers o where o.company_id = staff.company_id and o.staff_id = staff.id and o.service_id = ${id}::uuid offset 0)`,
        find: among(
          sql`select o.staff_id from offers o where o.company_id = app.company() and o.service_id = ${id}::uuid`,
        ),
      }),
    },
    userId: { kind: 'id', description: 'Signs in with this account.' },
  },
  sorts: ['name', 'lastName'],
  // Lists of services may ask who offers them.
  touches: ({ before, after }) => (sameList(before?.service_ids, after?.service_ids) ? [] : ['services']),
  constraints: {
    staff_named: {
      code: 'invalid_body',
      pointer: ['/firstName', '/lastName'],
      detail: 'At least one of firstName, lastName must remain.',
    },
    staff_user_id: { code: 'conflict', pointer: '/userId', detail: 'Another staff member has this account.' },
    staff_branches_branch: {
      code: 'unknown_reference',
      pointer: '/branchIds',
      detail: 'There is no such branch.',
    },
    staff_hours_branches: {
      code: 'unknown_reference',
      pointer: '/workingHours',
      detail: 'Working hours name a branch that is not among branchIds.',
    },
    offers_service: { code: 'unknown_reference', pointer: '/serviceIds', detail: 'There is no such service.' },
  },
});
