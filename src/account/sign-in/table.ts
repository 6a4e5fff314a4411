import { sql } from 'drizzle-orm';
import { customType, foreignKey, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instant } from '../../data/columns.ts';
import { users } from '../users/table.ts';

const hash = customType<{ data: string }>({ dataType: () => 'bytea' });

/** Password hashes live apart from `users`, because rows of logged tables are published. */
export const credentials = pgTable(
  'credentials',
  () => ({
    companyId: uuid('company_id').notNull(),
    userId: uuid('user_id').primaryKey(),
    passwordHash: text('password_hash').notNull(),
    changedAt: instant('changed_at').notNull().default(sql`clock_timestamp()`),
  }),
  (t) => [
    foreignKey({ columns: [t.companyId, t.userId], foreignColumns: [users.companyId, users.id] }).onDelete('cascade'),
  ],
);

/** One sign-in. Its refresh tokens form a family; revoking the session ends them all. */
export const sessions = pgTable(
  'sessions',
  () => ({
    companyId: uuid('company_id').notNull(),
    id: uuid('id').primaryKey(),
    userId: uuid('user_id').notNull(),
    createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
  }),
  (t) => [
    unique('sessions_company_id').on(t.companyId, t.id),
    index('sessions_user').on(t.companyId, t.userId),
    foreignKey({ columns: [t.companyId, t.userId], foreignColumns: [users.companyId, users.id] }).onDelete('cascade'),
  ],
);

export const refreshTokens = pgTable(
  'refresh_tokens',
  () => ({
    companyId: uuid('company_id').notNull(),
    sessionId: uuid('session_id').notNull(),
    hash: hash('hash').primaryKey(),
    createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
    usedAt: instant('used_at'),
  }),
  (t) => [
    index('refresh_tokens_session').on(t.companyId, t.sessionId),
    foreignKey({ columns: [t.companyId, t.sessionId], foreignColumns: [sessions.companyId, sessions.id] }).onDelete(
      'cascade',
    ),
  ],
);

/** One-time links: an invitation (72 h) or a password recovery (1 h), by the SHA-256 of their token. */
export const oneTimeTokens = pgTable(
  'one_time_tokens',
  () => ({
    companyId: uuid('company_id').notNull(),
    userId: uuid('user_id').notNull(),
    hash: hash('hash').primaryKey(),
    purpose: text('purpose', { enum: ['INVITE', 'RESET'] }).notNull(),
    expiresAt: instant('expires_at').notNull(),
    usedAt: instant('used_at'),
    /** The actor who made an invitation, as the log writes one; null for a recovery. */
    issuedBy: text('issued_by'),
  }),
  (t) => [
    index('one_time_tokens_user').on(t.companyId, t.userId),
    foreignKey({ columns: [t.companyId, t.userId], foreignColumns: [users.companyId, users.id] }).onDelete('cascade'),
  ],
);
