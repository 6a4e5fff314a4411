import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { instantOf } from '../../core/instant.ts';
import { behind } from '../../data/ctx.ts';
import type { Row } from '../../data/log.ts';
import { bytea } from '../../data/query.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import type { Output } from '../../http/schemas.ts';
import { user } from '../users/resource.ts';
import { check, count, countBehind, refuseKnown } from './counts.ts';
import {
  burstOf,
  companyWorkLimit,
  loginLimits,
  recoveryLimits,
  subscriberOf,
  unknownLimits,
  workLimits,
} from './limits.ts';
import { hashLink, newLink } from './link.ts';
import { reportUnsent, sendRecovery } from './mailer.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { forgetSessions } from './principal.ts';
import type { ForgottenPassword, PasswordChange, PasswordReset } from './schema.ts';

type View = Record<string, unknown>;

/** The user with another password, and the sessions that ended with it. */
type Changed = { user: Row; ended: string[] };
type Requested = { name: string; email: string; expires_at: string };

/**
 * Replaces the caller's own password and ends their other sessions. Limited like a log-in, before any hashing.
 * @throws AppError invalid_credentials, session_revoked, rate_limited, busy, forbidden
 */
export async function changePassword(c: AppContext, input: Output<typeof PasswordChange>): Promise<View> {
  const { ctx, deps } = c.env;
  const { companyId, credentialId: sessionId, userId } = principalOf(c);
  if (userId === null) throw new AppError('forbidden', 'An API key has no password.');
  const guesses = loginLimits(c, userId);
  const work = [...workLimits(c), companyWorkLimit(c, companyId)];
  await check(c.env, [...guesses, ...work]);
  const { auth } = deps;
  const [[own]] = await auth.batch(ctx, { name: 'ownPassword' }, [
    sql<{
      password_hash: string | null;
    }>`select password_hash from app.own_password(${companyId}::uuid, ${sessionId}::uuid, ${userId}::uuid)`,
  ]);
  const present = own?.password_hash ?? null;
  if (present === null) throw new AppError('session_revoked');
  const turn = {
    kind: 'other',
    address: subscriberOf(c),
    account: companyId,
    burst: burstOf(c),
    mayStill: () => refuseKnown(c.env, [...guesses, ...work]),
  } as const;
  const { ok } = await verifyPassword(input.currentPassword, present, turn);
  if (!ok) {
    await count(c.env, [...guesses, ...work]);
    throw new AppError('invalid_credentials', 'The present password is wrong.');
  }
  countBehind(c.env, work);
  const next = await hashPassword(input.newPassword, turn);
  countBehind(c.env, work);
  const [[row]] = await auth.batch(ctx, { name: 'changePassword' }, [
    sql<Changed>`select "user", ended from app.change_password(${companyId}::uuid, ${sessionId}::uuid, ${userId}::uuid, ${present}, ${next})`,
  ]);
  if (row === undefined)
    throw new AppError('conflict', 'The password or the session changed meanwhile. Sign in again.');
  await forgetSessions(ctx, deps, companyId, row.ended);
  return user.view(row.user, user.version);
}

/**
 * Sends a recovery link to whoever has this address. All of it happens behind the answer, so neither its content nor
 * its time tells whether anybody has. @throws AppError rate_limited
 */
export async function forgotPassword(c: AppContext, input: Output<typeof ForgottenPassword>): Promise<void> {
  const { ctx } = c.env;
  const { email } = input;
  const limits = recoveryLimits(c, email);
  await check(c.env, limits);
  await count(c.env, limits);
  ctx.waitUntil(recover(c, email).catch(() => reportUnsent(ctx, 'the database was not reached')));
}

async function recover(c: AppContext, email: string): Promise<void> {
  const { deps } = c.env;
  const ctx = behind(c.env.ctx);
  const { token, hash } = newLink();
  const [[row]] = await deps.auth.batch(ctx, { name: 'requestReset' }, [
    sql<Requested>`select name, email, expires_at from app.request_reset(${email}, ${bytea(hash)})`,
  ]);
  if (row === undefined) return;
  const expiresAt = String(instantOf(row.expires_at));
  await sendRecovery(ctx, deps.settings, { email: row.email, name: row.name, token, expiresAt });
}

/**
 * Sets the password of whoever holds the link, an invitation or a recovery, and ends all their sessions. The link is
 * looked up before anything is hashed, and spent together with the change.
 * @throws AppError invalid_link, rate_limited, busy
 */
export async function resetPassword(c: AppContext, input: Output<typeof PasswordReset>): Promise<View> {
  const { ctx, deps } = c.env;
  const { auth } = deps;
  const [unknown, work] = [unknownLimits(c), workLimits(c)];
  await check(c.env, [...unknown, ...work]);
  const hash = hashLink(input.token);
  const companyId = hash === null ? null : await companyOf(c, hash);
  if (hash === null || companyId === null) {
    await count(c.env, unknown);
    throw new AppError('invalid_link');
  }
  const all = [...work, companyWorkLimit(c, companyId)];
  const turn = {
    kind: 'other',
    address: subscriberOf(c),
    account: companyId,
    burst: burstOf(c),
    mayStill: () => refuseKnown(c.env, all),
  } as const;
  const password = await hashPassword(input.newPassword, turn);
  countBehind(c.env, all);
  const [[row]] = await auth.batch(ctx, { name: 'useLink' }, [
    sql<
      Changed & { company_id: string }
    >`select company_id, "user", ended from app.use_link(${bytea(hash)}, ${password})`,
  ]);
  if (row === undefined) throw new AppError('invalid_link');
  await forgetSessions(ctx, deps, row.company_id, row.ended);
  return user.view(row.user, user.version);
}

/** The company that a link which lives lets into; null for any other. */
async function companyOf(c: AppContext, hash: Uint8Array): Promise<string | null> {
  const { ctx, deps } = c.env;
  const [[row]] = await deps.auth.batch(ctx, { name: 'companyOfLink' }, [
    sql<{ company: string | null }>`select app.company_of_link(${bytea(hash)}) as company`,
  ]);
  return row?.company ?? null;
}
