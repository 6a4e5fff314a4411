import { sql } from 'drizzle-orm';
import type { Grant, Listener } from '../core/ticket.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { type Change, snapshot } from '../data/log.ts';
import { isRole, roleMay, scopesAllow } from './permissions.ts';

/** Whether what was granted to a listener shows what this permission guards. */
export const listenerMay = (grant: Grant, permission: string): boolean =>
  'role' in grant ? isRole(grant.role) && roleMay(grant.role, permission) : scopesAllow(grant.scopes, permission);

/** Whose grant a change changes, and to what; null when they may listen no more. Null when it changes nobody's. */
export function grantAfter({ entity, entityId, after }: Change): { actor: string; grant: Grant | null } | null {
  if (entity === 'user') {
    const active = after?.status === 'ACTIVE';
    return { actor: `USER:${entityId}`, grant: active ? { role: String(after.role) } : null };
  }
  if (entity !== 'api-key' || (after !== null && after.revoked_at === null)) return null;
  return { actor: `API_KEY:${entityId}`, grant: null };
}

/** Those of these listeners whose session or key lives, with what it grants now. @throws AppError */
export async function livingListeners(
  { ctx, deps }: { ctx: Ctx; deps: Deps },
  companyId: string,
  listeners: readonly Listener[],
): Promise<Map<string, Grant>> {
  const idsOf = (kind: string): string[] => [
    ...new Set(listeners.filter(({ actor }) => actor.startsWith(kind)).map(({ credential }) => credential)),
  ];
  const living = sql<{ id: string; role: string | null; scopes: string[] | null }>`
    select id, role, scopes from app.living_listeners(${sql.param(idsOf('USER:'))}::uuid[], ${sql.param(idsOf('API_KEY:'))}::uuid[])`;
  const { rows } = await snapshot(ctx, { database: deps.read, companyId, name: 'listeners' }, [living]);
  return new Map(rows[0].map(({ id, role, scopes }) => [id, role === null ? { scopes: scopes ?? [] } : { role }]));
}
