import { formatId, NOBODY, parseId } from '../../core/id.ts';
import { instantOf } from '../../core/instant.ts';
import { actorOf } from '../../data/event.ts';
import type { Change, Row } from '../../data/log.ts';
import { type Registry, seesChange } from '../../data/registry.ts';
import { type RouteModule, routesBelow } from '../../http/route.ts';
import { LOG_QUERY, readLog } from '../events/log-query.ts';
import { auditPage, type Logged } from '../events/schema.ts';

/** One change with both of its states, as the API shows them. Null for an entity this version does not know. */
function entryOf(registry: Registry, change: Change): Record<string, unknown> | null {
  const logged = registry.get(change.entity);
  if (logged === undefined) return null;
  const view = (row: Row | null) => (row === null ? null : logged.view(row, change.schemaVersion));
  return {
    revision: change.revision,
    at: instantOf(change.changedAt),
    actor: actorOf(change.actor),
    requestId: change.requestId,
    entityId: formatId(logged.prefix, change.entityId),
    action: `${logged.entity}.${logged.action(change)}`,
    before: view(change.before),
    after: view(change.after),
  };
}

/** The uuid that a public id of any logged entity names; of anything else, one that nothing has. */
function uuidOf(registry: Registry, id: string): string {
  const logged = [...registry.values()].find(({ prefix }) => id.startsWith(`${prefix}_`));
  return (logged === undefined ? null : parseId(logged.prefix, id)) ?? NOBODY;
}

export const auditRoutes = (logged: () => readonly Logged[]): RouteModule =>
  routesBelow(['audit'], () => [
    {
      method: 'get',
      path: '/audit',
      tag: 'Audit',
      summary: 'Who changed what, with before and after',
      description: 'In order, from the oldest that is kept. Only of what the caller may read.',
      permission: 'audit:read',
      query: { entityId: { description: 'Only the changes of this object.' }, ...LOG_QUERY },
      success: { status: 200, schema: auditPage(logged()), description: 'Changes in order' },
      errors: ['epoch_changed', 'window_exceeded'],
      handler: readLog({
        name: 'audit',
        permission: 'audit:read',
        parameters: ['entityId'],
        entityId(params, c) {
          const id = params.get('entityId');
          return id === null ? null : uuidOf(c.env.deps.registry, id);
        },
        // Who may read an entity in audit, may read it: a key with audit:read alone sees what its other scopes show.
        show: (change, principal, c) => {
          const logged = c.env.deps.registry.get(change.entity);
          return logged !== undefined && seesChange(logged, principal, change)
            ? entryOf(c.env.deps.registry, change)
            : null;
        },
      }),
    },
  ]);
