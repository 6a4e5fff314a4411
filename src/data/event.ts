import { formatId } from '../core/id.ts';
import { instantOf } from '../core/instant.ts';
import type { Change } from './log.ts';
import { type Registry, seesChange, type Viewer } from './registry.ts';

/** Who made a change, as the log names them: `USER:<uuid>`, `API_KEY:<uuid>`, `SYSTEM`, `SQL:<role>`. */
export function actorOf(actor: string): { type: 'USER' | 'API_KEY' | 'SYSTEM' | 'SQL'; id?: string } {
  const [type, id = ''] = actor.split(':', 2);
  if (type === 'USER') return { type, id: formatId('usr', id) };
  if (type === 'API_KEY') return { type, id: formatId('key', id) };
  return type === 'SQL' ? { type } : { type: 'SYSTEM' };
}

/**
 * One change as events, rooms and webhooks show it: `data` is what GET of the entity answers at that revision.
 * Null for an entity this version does not know, or that the reader may not see.
 * @param viewer null for all who may read: then nothing of an entity whose rows not all of them see
 */
export function eventOf(registry: Registry, viewer: Viewer | null, change: Change): Record<string, unknown> | null {
  const logged = registry.get(change.entity);
  if (logged === undefined) return null;
  if (viewer === null ? logged.visibility !== undefined : !seesChange(logged, viewer, change)) return null;
  const row = change.after ?? change.before;
  return {
    revision: change.revision,
    id: `evt_${change.revision}`,
    type: `${logged.entity}.${logged.action(change)}`,
    topic: logged.topic,
    entityId: formatId(logged.prefix, change.entityId),
    at: instantOf(change.changedAt),
    actor: actorOf(change.actor),
    data: row === null ? null : logged.view(row, change.schemaVersion),
  };
}
