import { boolean, doublePrecision, foreignKey, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantIndexes, tenantKey } from '../../data/columns.ts';
import { ALERT_STATES, COMPARISONS } from '../../data/monitor.ts';

/** When a company wants to hear of a figure of the deployment. Its state is the monitor's, which writes it down. */
export const alerts = pgTable(
  'alerts',
  () => ({
    ...tenantKey(),
    name: text('name').notNull(),
    metric: text('metric').notNull(),
    comparison: text('comparison', { enum: COMPARISONS }).notNull(),
    threshold: doublePrecision('threshold').notNull(),
    hysteresis: doublePrecision('hysteresis').notNull().default(0),
    forMinutes: integer('for_minutes').notNull().default(1),
    url: text('url').notNull(),
    isActive: boolean('is_active').notNull().default(true),
    state: text('state', { enum: ALERT_STATES }).notNull().default('OK'),
    stateSince: instant('state_since'),
    lastValue: doublePrecision('last_value'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [...tenantIndexes(t, { table: 'alerts', part: t.isActive, sorts: {} })],
);

/** What signs the messages of a rule, encrypted: apart from `alerts`, whose rows are published. */
export const alertSecrets = pgTable(
  'alert_secrets',
  () => ({
    companyId: uuid('company_id').notNull(),
    alertId: uuid('alert_id').notNull(),
    secret: text('secret').notNull(),
  }),
  (t) => [
    primaryKey({ columns: [t.companyId, t.alertId] }),
    foreignKey({ columns: [t.companyId, t.alertId], foreignColumns: [alerts.companyId, alerts.id] }).onDelete(
      'cascade',
    ),
  ],
);
