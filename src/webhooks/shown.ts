import { roleMay } from '../account/permissions.ts';
import { eventOf } from '../data/event.ts';
import type { Change } from '../data/log.ts';
import type { LoggedEntity, Registry, Viewer } from '../data/registry.ts';

/** Whoever reads what is sent: webhooks show what an ADMIN may read. */
const readerOf = (companyId: string): Viewer => ({
  companyId,
  userId: null,
  role: 'ADMIN',
  may: (permission) => roleMay('ADMIN', permission),
});

const entityOf = (type: string): string => type.slice(0, type.indexOf('.'));

/** The entities whose events an endpoint of these types is sent; null: of all types. */
export function entitiesShown(registry: Registry, types: readonly string[] | null): LoggedEntity[] {
  const named = types === null ? null : new Set(types.map(entityOf));
  const { may } = readerOf('');
  return [...registry.values()].filter(
    ({ entity, permission }) => may(permission) && (named === null || named.has(entity)),
  );
}

/** Those of them that somebody may not read. */
export const beyond = (registry: Registry, types: readonly string[] | null, may: Viewer['may']): string[] =>
  entitiesShown(registry, types).flatMap(({ entity, permission }) => (may(permission) ? [] : [entity]));

export const unread = (entities: readonly string[]): string => `You may not read events of ${entities.join(', ')}.`;

/** A change as an endpoint is sent it; null where it is not for one of these types. */
export function eventShown(
  registry: Registry,
  companyId: string,
  types: readonly string[] | null,
  change: Change,
): { type: string; event: Record<string, unknown> } | null {
  const logged = registry.get(change.entity);
  if (logged === undefined) return null;
  const type = `${logged.entity}.${logged.action(change)}`;
  if (types?.includes(type) === false) return null;
  const event = eventOf(registry, readerOf(companyId), change);
  return event === null ? null : { type, event };
}
