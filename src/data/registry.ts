import type { Prefix } from '../core/id.ts';
import type { Change, Row } from './log.ts';

/** Whoever reads: a principal of a request, or a socket that was opened by one. */
export type Viewer = {
  readonly companyId: string;
  readonly userId: string | null;
  readonly role: string | null;
  may(permission: string): boolean;
};

/** What relay, rooms, events and cache know of a resource whose changes are logged. `src/registry.ts` lists them. */
export type LoggedEntity = {
  /** As in `changes.entity` and event types: `client`. */
  readonly entity: string;
  /** Realtime topic and route: `clients`. */
  readonly topic: string;
  /** Of public ids: `clnt`. */
  readonly prefix: Prefix;
  /** What a reader needs. */
  readonly permission: string;
  /** The public object of a logged row; `schemaVersion` is the version the row was logged with. */
  view(row: Row, schemaVersion: number): Record<string, unknown>;
  /** The cache tags a change touches. Pure: API writes, SQL writes, relay and sweep all use it. */
  tagsTouched(change: Change): readonly string[];
  /** The last part of the event type: `archived` rather than `updated`, where that says more. */
  action(change: Change): string;
  /** The words it uses besides the plain ones. */
  readonly actions?: readonly string[];
};

/** The tag that every erasure touches: what was cached before one is not even answered as stale. */
export const ERASED = 'erased';

export type Registry = ReadonlyMap<string, LoggedEntity>;

export const makeRegistry = (entities: readonly LoggedEntity[]): Registry =>
  new Map(entities.map((logged) => [logged.entity, logged]));

export const PLAIN_ACTIONS = ['created', 'updated', 'deleted'] as const;

/** Created, updated or deleted: what can be said of every change. */
export function plainAction(change: Change): (typeof PLAIN_ACTIONS)[number] {
  if (change.before === null) return 'created';
  return change.after === null ? 'deleted' : 'updated';
}

/** The newest revision per tag over a run of changes: what an announcement carries. */
export function touchedTags(registry: Registry, changes: readonly Change[]): Record<string, number> {
  const tags: Record<string, number> = {};
  for (const change of changes) {
    // An entity this version does not know (a newer deploy writes it) cannot be narrowed: nothing here caches it either.
    for (const tag of registry.get(change.entity)?.tagsTouched(change) ?? []) tags[tag] = change.revision;
  }
  return tags;
}
