import { boolean, foreignKey, index, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, tenantKey } from '../../data/columns.ts';
import { branches, type Hours } from '../branches/table.ts';

/** Rooms, chairs, devices: what a service occupies besides its staff. */
export const resources = pgTable(
  'resources',
  {
    ...tenantKey(),
    name: text('name').notNull(),
    kind: text('kind').notNull(),
    branchId: uuid('branch_id').notNull(),
    isActive: boolean('is_active').notNull().default(true),
    /** None: those of the branch. */
    workingHours: jsonb('working_hours').$type<Hours[]>().notNull().default([]),
    externalId: text('external_id'),
    ...documentColumns(),
  },
  (t) => [
    unique('resources_company_id').on(t.companyId, t.id),
    unique('resources_external_id').on(t.companyId, t.externalId),
    foreignKey({
      name: 'resources_branch',
      columns: [t.companyId, t.branchId],
      foreignColumns: [branches.companyId, branches.id],
    }),
    // Which of a kind are chosen from, in the order in which they are chosen.
    index('resources_of_kind').on(t.companyId, t.branchId, t.kind, t.name, t.id),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('resources_created').on(t.companyId, t.isActive, t.createdAt, t.id),
    index('resources_updated').on(t.companyId, t.isActive, t.updatedAt, t.id),
    index('resources_name').on(t.companyId, t.isActive, t.name, t.id),
  ],
);
