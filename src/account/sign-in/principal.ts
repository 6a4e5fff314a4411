import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { seal, unseal } from '../../core/sealed.ts';
import { behind, type Ctx } from '../../data/ctx.ts';
import type { Deps } from '../../data/deps.ts';
import { type RedisStore, tell } from '../../data/redis.ts';
import { tellRoom } from '../../data/rooms.ts';
import { shareOf, WeighedMap } from '../../data/weighed.ts';
import type { CredentialCheck, Principal } from '../../http/context.ts';
import type { Settings } from '../../settings.ts';
import { HOLDS, holds, holdsStill } from '../holds.ts';
import { ROLES, type Role, roleMay, rolesWith } from '../permissions.ts';
import { type AccessClaims, LIFETIME_SECONDS } from './tokens.ts';

/** A memo is put together of pieces, which stay pieces (measured: bench/heap.ts). */
const MEMO_BYTES = 250;

/** Where records are kept, and what signs them. */
type Place = { redis: Pick<RedisStore, 'key'>; settings: Pick<Settings, 'cursorSecret'> };

/** Sessions known to live, by id and role, and until when (ms). Bounded plain data. */
const alive = new WeighedMap<number>(shareOf('sessions'));

const sessionKey = ({ redis }: Pick<Place, 'redis'>, sessionId: string): string => redis.key('session', sessionId);

/** That a session or user is not what tokens from before say. */
const markKey = ({ redis }: Pick<Place, 'redis'>, id: string): string => redis.key('ended', id);

/**
 * The caller that an access token names. The token was verified; whether its session still lives is for `credential` to say.
 * One per token: it holds nothing of a request, and `claims` is the same object for all requests with the token.
 */
export function userPrincipal(claims: AccessClaims, place: Place): Principal {
  let principal = principals.get(claims);
  if (principal === undefined) {
    principal = makePrincipal(claims, place);
    principals.set(claims, principal);
  }
  return principal;
}

const principals = new WeakMap<AccessClaims, Principal>();

function makePrincipal(claims: AccessClaims, place: Place): Principal {
  const { companyId, sessionId, userId, role } = claims;
  return {
    companyId,
    actor: `USER:${userId}`,
    credentialId: sessionId,
    userId,
    role,
    credential: checkOf(claims, place),
    // Its signature was checked.
    proven: true,
    may: (permission) => roleMay(role, permission),
    grant: () => ({ role }),
    expiresAt: () => claims.expiresAt,
    writer: (permission) => ({
      actor: `USER:${userId}`,
      credential: { session: sessionId, user: userId, roles: rolesWith(permission) },
    }),
  };
}

type SessionRole = { role: Role | null };

function checkOf({ companyId, sessionId, userId, role }: AccessClaims, place: Place): CredentialCheck {
  const { cursorSecret } = place.settings;
  const memo = `${companyId}:${sessionId}:${role}`;
  const key = sessionKey(place, sessionId);
  const marks = [sessionId, userId].map((id) => markKey(place, id));
  return {
    known: (now) => holds(alive.get(memo) ?? 0, now),
    ask: (pipeline) => pipeline.mget(key, ...marks),
    learn(answer, now) {
      if (!Array.isArray(answer)) throw new Error('shape');
      if (unseal(cursorSecret, key, answer[0], now) === role) remember(memo, now + HOLDS);
    },
    // Nobody can be signed out while Postgres is away; who was before has left a mark for as long as the token is good.
    excuses: (answer) => Array.isArray(answer) && answer.slice(1).every((mark) => mark === null),
    statement: () => sql<SessionRole>`select app.session_role(${sessionId}::uuid, ${userId}::uuid) as role`,
    settle(ctx, deps, [row]: readonly SessionRole[]) {
      const present = row?.role ?? null;
      if (present === null) throw new AppError('session_revoked');
      // The token says another role than the user now has: a refresh gives one that is right.
      if (present !== role) throw new AppError('token_expired', 'Your role has changed. Refresh the token.');
      remember(memo, ctx.now() + HOLDS);
      const px = holdsStill(ctx.startedAt, ctx.now());
      if (px === 0) return;
      ctx.waitUntil(
        tell(deps.redis, behind(ctx), (p) => p.set(key, seal(cursorSecret, key, role, ctx.startedAt + HOLDS), { px })),
      );
    },
  };
}

const remember = (memo: string, until: number): void => alive.set(memo, until, MEMO_BYTES);

/** A session that has just been opened needs no check. */
export function rememberSession(ctx: Ctx, { companyId, sessionId, role }: Omit<AccessClaims, 'expiresAt'>): void {
  remember(`${companyId}:${sessionId}:${role}`, ctx.now() + HOLDS);
}

/** Sessions have ended: their readers stop at once here and wherever Redis is asked, elsewhere when the check runs out. */
export async function forgetSessions(
  ctx: Ctx,
  deps: Deps,
  companyId: string,
  sessionIds: readonly string[],
): Promise<void> {
  if (sessionIds.length === 0) return;
  tellRoom(ctx, 'end', () => deps.rooms(companyId).end(sessionIds));
  for (const id of sessionIds) for (const role of ROLES) alive.delete(`${companyId}:${id}:${role}`);
  await tell(deps.redis, ctx, (p) => {
    p.del(...sessionIds.map((id) => sessionKey(deps, id)));
    for (const id of sessionIds) p.set(markKey(deps, id), 1, { ex: LIFETIME_SECONDS });
  });
}

/** A user was archived or has another role: tokens from before are not taken on trust while Postgres is away. */
export async function markUser(ctx: Ctx, deps: Deps, userId: string): Promise<void> {
  await tell(deps.redis, ctx, (p) => p.set(markKey(deps, userId), 1, { ex: LIFETIME_SECONDS }));
}
