import { sql } from 'drizzle-orm';
import { bigint, customType, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

const bytes = customType<{ data: Uint8Array; driverData: string }>({
  dataType: () => 'bytea',
  toDriver: (value) => `\\x${Buffer.from(value).toString('hex')}`,
});

/** One row per company: the head of its log. Locked first by every write, so commit order is revision order (R1). */
export const companyHeads = pgTable('company_heads', () => ({
  companyId: uuid('company_id').primaryKey(),
  epoch: uuid('epoch').notNull().default(sql`uuidv7()`),
  revision: bigint('revision', { mode: 'number' }).notNull().default(0),
  changedAt: instant('changed_at').notNull().default(sql`clock_timestamp()`),
}));

/** The company log. Written by triggers only; the application's role may read it. */
export const changes = pgTable(
  'changes',
  () => ({
    companyId: uuid('company_id').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    entity: text('entity').notNull(),
    entityId: uuid('entity_id').notNull(),
    operation: text('operation', { enum: ['INSERT', 'UPDATE', 'DELETE'] }).notNull(),
    schemaVersion: integer('schema_version').notNull(),
    before: jsonb('before'),
    after: jsonb('after'),
    actor: text('actor').notNull(),
    requestId: text('request_id'),
    changedAt: instant('changed_at').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.revision] }),
    index('changes_entity').on(t.companyId, t.entityId, t.revision.desc().nullsLast()),
  ],
);

/** One claimed Idempotency-Key. The answer is not stored: it is the logged state of `entityId` at `revision`. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  () => ({
    companyId: uuid('company_id').notNull(),
    actor: text('actor').notNull(),
    route: text('route').notNull(),
    key: text('key').notNull(),
    fingerprint: bytes('fingerprint').notNull(),
    status: integer('status'),
    revision: bigint('revision', { mode: 'number' }),
    entityId: uuid('entity_id'),
    result: jsonb('result'),
    expiresAt: instant('expires_at').notNull().default(sql`clock_timestamp() + interval '24 hours'`),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.actor, t.route, t.key] }),
    index('idempotency_keys_expiry').on(t.expiresAt),
  ],
);
