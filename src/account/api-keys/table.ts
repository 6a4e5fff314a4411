import { sql } from 'drizzle-orm';
import { customType, foreignKey, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantKey } from '../../data/columns.ts';

const hash = customType<{ data: string }>({ dataType: () => 'bytea' });

/** A machine's credential. What it may do never changes; it is revoked and made anew. */
export const apiKeys = pgTable(
  'api_keys',
  () => ({
    ...tenantKey(),
    name: text('name').notNull(),
    scopes: text('scopes').array().notNull(),
    /** The actor who made it, as the log writes one. */
    createdBy: text('created_by').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('api_keys_company_id').on(t.companyId, t.id),
    unique('api_keys_external_id').on(t.companyId, t.externalId),
    // Two per sort, for what parts the rows is no column: then the sort and the id, ascending (src/data/walk.ts).
    index('api_keys_created').on(t.companyId, t.createdAt, t.id).where(sql`${t.revokedAt} is null`),
    index('api_keys_updated').on(t.companyId, t.updatedAt, t.id).where(sql`${t.revokedAt} is null`),
    index('api_keys_name').on(t.companyId, t.name, t.id).where(sql`${t.revokedAt} is null`),
    index('api_keys_revoked_created').on(t.companyId, t.createdAt, t.id).where(sql`${t.revokedAt} is not null`),
    index('api_keys_revoked_updated').on(t.companyId, t.updatedAt, t.id).where(sql`${t.revokedAt} is not null`),
    index('api_keys_revoked_name').on(t.companyId, t.name, t.id).where(sql`${t.revokedAt} is not null`),
  ],
);

/** The SHA-256 of a key's whole text, apart from `api_keys`, whose rows are published; and when it was last used. */
export const apiKeySecrets = pgTable(
  'api_key_secrets',
  () => ({
    companyId: uuid('company_id').notNull(),
    keyId: uuid('key_id').primaryKey(),
    hash: hash('hash').notNull(),
    lastUsedAt: instant('last_used_at'),
  }),
  (t) => [
    foreignKey({ columns: [t.companyId, t.keyId], foreignColumns: [apiKeys.companyId, apiKeys.id] }).onDelete(
      'cascade',
    ),
  ],
);
