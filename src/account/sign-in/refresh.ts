import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import type { Row } from '../../data/log.ts';
import { bytea } from '../../data/query.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import type { Output } from '../../http/schemas.ts';
import { check, count, countBehind } from './counts.ts';
import { refreshLimits, sessionRefreshes, unknownLimits } from './limits.ts';
import { forgetSessions } from './principal.ts';
import type { Logout } from './schema.ts';
import { signedIn } from './session.ts';
import { hashRefreshToken, newRefreshToken } from './tokens.ts';

/** When a session that was refreshed too often may try again, seconds. */
const SOON = 60;

/**
 * Exchanges a refresh token for a new pair. Of several that send the same token one gets it; the others are refused,
 * and their session lives on for ten seconds' worth of doubt. An older token ends the session: somebody has a copy.
 * @throws AppError invalid_refresh_token, rate_limited
 */
export async function refresh(
  c: AppContext,
  { refreshToken }: { refreshToken: string },
): Promise<{ body: Record<string, unknown>; revision: number }> {
  const { ctx, deps } = c.env;
  const [unknown, refreshes] = [unknownLimits(c), refreshLimits(c)];
  await check(c.env, [...unknown, ...refreshes]);
  const hash = hashRefreshToken(refreshToken);
  const next = newRefreshToken();
  const row = hash === null ? undefined : await rotate(c, hash, next.hash);
  if (row === undefined) await count(c.env, unknown);
  else countBehind(c.env, refreshes);
  if (row?.outcome === 'reused') {
    ctx.note('refreshReused', true);
    await forgetSessions(ctx, deps, row.company_id, [row.session_id]);
  }
  if (row?.outcome === 'limited') {
    throw new AppError('rate_limited', 'This session is refreshed too often. Use its access token until it ends.', {
      extra: { retryAfter: SOON },
    });
  }
  if (row?.outcome !== 'rotated') throw new AppError('invalid_refresh_token', 'Sign in again.');
  const opened = { company: row.company, user: row.user, revision: Number(row.revision) };
  // As any request of the company does, it costs a unit.
  deps.rate.add(row.company_id, 1, ctx.now());
  const session = { id: row.session_id, refreshToken: next.token };
  return { body: await signedIn(c, opened, session), revision: opened.revision };
}

/** What became of a token that was one; its session's rows only where it was `rotated`. */
type Rotation = { company_id: string; session_id: string } & (
  | { outcome: 'rotated'; revision: string; company: Row; user: Row }
  | { outcome: 'raced' | 'reused' | 'limited' }
);

async function rotate(c: AppContext, hash: Uint8Array, next: Uint8Array): Promise<Rotation | undefined> {
  const { ctx, deps } = c.env;
  const [[row]] = await deps.auth.batch(ctx, { name: 'refresh' }, [
    sql<Rotation>`select outcome, company_id, session_id, revision, company, "user" from app.rotate_refresh(${bytea(hash)}, ${bytea(next)}, ${sessionRefreshes(c)})`,
  ]);
  return row;
}

/**
 * Ends the caller's session; again is as good. A refresh token that they hand back ends its own where that is theirs; of any
 * other nothing is told. @throws AppError forbidden for a key, which is revoked instead
 */
export async function logout(c: AppContext, { refreshToken = '' }: Output<typeof Logout>): Promise<void> {
  const { ctx, deps } = c.env;
  const { companyId, credentialId, userId } = principalOf(c);
  if (userId === null) throw new AppError('forbidden', 'An API key has no session. Revoke it instead.');
  // No token has no hash: what is none asks as much as what is one.
  const hash = hashRefreshToken(refreshToken) ?? new Uint8Array();
  const [ended] = await deps.auth.batch(ctx, { name: 'logout' }, [
    sql<{
      id: string;
    }>`select id from app.end_sessions(${companyId}::uuid, ${credentialId}::uuid, ${userId}::uuid, ${bytea(hash)}) id`,
  ]);
  await forgetSessions(ctx, deps, companyId, [...new Set([credentialId, ...ended.map(({ id }) => id)])]);
}
