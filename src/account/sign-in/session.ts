import { newUuid } from '../../core/id.ts';
import type { Row } from '../../data/log.ts';
import type { AppContext } from '../../http/context.ts';
import { company as companies } from '../company/resource.ts';
import { isRole } from '../permissions.ts';
import { user as users } from '../users/resource.ts';
import { rememberSession } from './principal.ts';
import { loadKeys, newRefreshToken, signAccess } from './tokens.ts';

/** How long a sign-in lasts without a password, ms: the life of a refresh family. */
const SESSION = 30 * 24 * 3600 * 1000;

/** Whose session it is, at which revision of their company. */
export type Opened = { company: Row; user: Row; revision: number };

type NewSession = { id: string; refreshToken: string; row: { id: string; refreshHash: string; expiresAt: string } };

export function newSession(now: number): NewSession {
  const { token, hash } = newRefreshToken();
  const id = newUuid();
  const expiresAt = new Date(now + SESSION).toISOString();
  return { id, refreshToken: token, row: { id, refreshHash: Buffer.from(hash).toString('hex'), expiresAt } };
}

/** What a sign-in answers. */
export async function signedIn(
  c: AppContext,
  { company, user }: Opened,
  session: Pick<NewSession, 'id' | 'refreshToken'>,
): Promise<Record<string, unknown>> {
  const { ctx, deps } = c.env;
  const keys = await loadKeys(deps.settings.jwtPrivateKey, deps.settings.jwtPublicKeys);
  // What the table allows is a role.
  const role = isRole(user.role) ? user.role : 'READONLY';
  const claims = {
    userId: String(user.id),
    companyId: String(company.id),
    sessionId: session.id,
    role,
  };
  const { token, expiresIn } = await signAccess(keys, claims, ctx.now());
  rememberSession(ctx, claims);
  return {
    company: companies.view(company, companies.version),
    user: users.view(user, users.version),
    accessToken: token,
    refreshToken: session.refreshToken,
    tokenType: 'Bearer',
    expiresIn,
  };
}
