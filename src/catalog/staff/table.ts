import { type SQL, sql } from 'drizzle-orm';
import { boolean, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../../account/users/table.ts';
import { documentColumns, tenantIndexes, tenantKey, tenantReference } from '../../data/columns.ts';
import { branches, type Hours } from '../branches/table.ts';

/** Hours at one branch, or at every branch of theirs where none is named. No hours at all: those of the branch. */
type WorkingHours = Hours & { branchId?: string };

export const staff = pgTable(
  'staff',
  () => ({
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
  }),
  (t) => [
    ...tenantIndexes(t, { table: 'staff', part: t.isActive, sorts: { name: t.name, last_name: t.lastName } }),
    unique('staff_user_id').on(t.companyId, t.userId),
    tenantReference('staff_user', [t.companyId, t.userId], users),
  ],
);

/** `branch_ids` as rows, kept by a trigger: what holds the references, and finds the staff of a branch. */
export const staffBranches = pgTable(
  'staff_branches',
  () => ({
    companyId: uuid('company_id').notNull(),
    staffId: uuid('staff_id').notNull(),
    branchId: uuid('branch_id').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.staffId, t.branchId] }),
    tenantReference('staff_branches_staff', [t.companyId, t.staffId], staff).onDelete('cascade'),
    tenantReference('staff_branches_branch', [t.companyId, t.branchId], branches),
    index('staff_branches_of_branch').on(t.companyId, t.branchId, t.staffId),
  ],
);
