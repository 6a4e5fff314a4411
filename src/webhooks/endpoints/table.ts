import { sql } from 'drizzle-orm';
import { bigint, boolean, foreignKey, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantIndexes, tenantKey } from '../../data/columns.ts';

/** An address that is sent what happens in a company. */
export const webhooks = pgTable(
  'webhooks',
  () => ({
    ...tenantKey(),
    url: text('url').notNull(),
    /** Of events; null: all of them. */
    types: text('types').array(),
    description: text('description'),
    isActive: boolean('is_active').notNull().default(true),
    /** Why it was archived by itself, and when. */
    disabledReason: text('disabled_reason', { enum: ['GONE', 'FAILING'] }),
    disabledAt: instant('disabled_at'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [...tenantIndexes(t, { table: 'webhooks', part: t.isActive, sorts: {} })],
);

/**
 * What signs an endpoint's messages, encrypted (src/core/keyring.ts), and how far it has come in the log: apart from
 * `webhooks`, whose rows are published.
 */
export const webhookStates = pgTable(
  'webhook_states',
  () => ({
    companyId: uuid('company_id').notNull(),
    webhookId: uuid('webhook_id').notNull(),
    secret: text('secret').notNull(),
    /** The one before, which signs beside it until then. */
    previousSecret: text('previous_secret'),
    previousUntil: instant('previous_until'),
    /** Grows when a caller sets the position. */
    generation: integer('generation').notNull().default(0),
    epoch: uuid('epoch').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    /** When the dispatcher last wrote down where it stands, and until when it waits. */
    keptAt: instant('kept_at').notNull().default(sql`clock_timestamp()`),
    waitsUntil: instant('waits_until'),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.webhookId] }),
    foreignKey({ columns: [t.companyId, t.webhookId], foreignColumns: [webhooks.companyId, webhooks.id] }).onDelete(
      'cascade',
    ),
  ],
);
