import { boolean, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, tenantIndexes, tenantKey, tenantReference } from '../../data/columns.ts';
import { branches, type Hours } from '../branches/table.ts';

/** Rooms, chairs, devices: what a service occupies besides its staff. */
export const resources = pgTable(
  'resources',
  () => ({
    ...tenantKey(),
    name: text('name').notNull(),
    kind: text('kind').notNull(),
    branchId: uuid('branch_id').notNull(),
    isActive: boolean('is_active').notNull().default(true),
    /** None: those of the branch. */
    workingHours: jsonb('working_hours').$type<Hours[]>().notNull().default([]),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    ...tenantIndexes(t, { table: 'resources', part: t.isActive, sorts: { name: t.name } }),
    tenantReference('resources_branch', [t.companyId, t.branchId], branches),
    // Which of a kind are chosen from, in the order in which they are chosen.
    index('resources_of_kind').on(t.companyId, t.branchId, t.kind, t.name, t.id),
  ],
);
