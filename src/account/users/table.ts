import { sql } from 'drizzle-orm';
import { index, pgTable, text, unique, uniqueIndex } from 'drizzle-orm/pg-core';
import { documentColumns, tenantKey } from '../../data/columns.ts';

export const users = pgTable(
  'users',
  () => ({
    ...tenantKey(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    role: text('role', { enum: ['OWNER', 'ADMIN', 'MANAGER', 'STAFF', 'READONLY'] }).notNull(),
    status: text('status', { enum: ['ACTIVE', 'ARCHIVED'] })
      .notNull()
      .default('ACTIVE'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('users_company_id').on(t.companyId, t.id),
    unique('users_external_id').on(t.companyId, t.externalId),
    // One person, one company: an address signs in without naming a tenant. An archived user's is free again.
    uniqueIndex('users_email').on(sql`app.fold_address(${t.email})`).where(sql`status <> 'ARCHIVED'`),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('users_created').on(t.companyId, t.status, t.createdAt, t.id),
    index('users_updated').on(t.companyId, t.status, t.updatedAt, t.id),
    index('users_name').on(t.companyId, t.status, t.name, t.id),
    index('users_address').on(t.companyId, t.status, t.email, t.id),
  ],
);
