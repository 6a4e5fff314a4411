import { type SQL, sql } from 'drizzle-orm';
import { boolean, foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../../account/users/table.ts';
import { documentColumns, tenantKey } from '../../data/columns.ts';
import { branches, type Hours } from '../branches/table.ts';

/** Hours at one branch, or at every branch of theirs where none is named. No hours at all: those of the branch. */
export type WorkingHours = Hours & { branchId?: string };

export const staff = pgTable(
  'staff',
  {
    ...tenantKey(),
    firstName: text('first_name'),
    lastName: text('last_name'),
    name: text('name')
      .generatedAlwaysAs((): SQL => sql`trim(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))`)
      .notNull(),
    email: text('email'),
    userId: uuid('user_id'),
    branchIds: uuid('branch_ids').array().notNull().default(sql`'{}'`),
    serviceIds: uuid('service_ids').array().notNull().default(sql`'{}'`),
    isActive: boolean('is_active').notNull().default(true),
    workingHours: jsonb('working_hours').$type<WorkingHours[]>().notNull().default([]),
    color: text('color'),
    externalId: text('external_id'),
    ...documentColumns(),
  },
  (t) => [
    unique('staff_company_id').on(t.companyId, t.id),
    unique('staff_external_id').on(t.companyId, t.externalId),
    unique('staff_user_id').on(t.companyId, t.userId),
    foreignKey({ name: 'staff_user', columns: [t.companyId, t.userId], foreignColumns: [users.companyId, users.id] }),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('staff_created').on(t.companyId, t.isActive, t.createdAt, t.id),
    index('staff_updated').on(t.companyId, t.isActive, t.updatedAt, t.id),
    index('staff_name').on(t.companyId, t.isActive, t.name, t.id),
    index('staff_last_name').on(t.companyId, t.isActive, t.lastName, t.id),
  ],
);

/** `branch_ids` as rows, kept by a trigger: what holds the references, and finds the staff of a branch. */
export const staffBranches = pgTable(
  'staff_branches',
  {
    companyId: uuid('company_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    branchId: uuid('branch_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.companyId, t.staffId, t.branchId] }),
    foreignKey({
      name: 'staff_branches_staff',
      columns: [t.companyId, t.staffId],
      foreignColumns: [staff.companyId, staff.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'staff_branches_branch',
      columns: [t.companyId, t.branchId],
      foreignColumns: [branches.companyId, branches.id],
    }),
    index('staff_branches_of_branch').on(t.companyId, t.branchId, t.staffId),
  ],
);
