import type { SQL } from 'drizzle-orm';
import type { Prefix } from '../core/id.ts';
import type { Change, Row } from './log.ts';

/** Whoever reads: a principal of a request, or a socket that was opened by one. */
export type Viewer = {
  readonly companyId: string;
  readonly userId: string | null;
  readonly role: string | null;
  may(permission: string): boolean;
};

/**
 * Which rows a viewer sees, where those who may read do not see all of them: their own calendar, one branch. One rule for
 * lists and details in SQL, events and frames, and the key of what is cached.
 */
export type Visibility = {
  /** Names the rows in a key: viewers of one scope see the same. */
  scope(viewer: Viewer): string;
  /** The condition on a row of the table. */
  where(viewer: Viewer): SQL;
  /** The same of a row as the log has it. */
  sees(viewer: Viewer, row: Row): boolean;
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
  /** Absent: whoever may read sees every row. */
  readonly visibility?: Visibility;
  /** The public object of a logged row; `schemaVersion` is the version the row was logged with. */
  view(row: Row, schemaVersion: number): Record<string, unknown>;
  /** The cache tags a change touches. Pure: API writes, SQL writes, relay and sweep all use it. */
  tagsTouched(change: Change): readonly string[];
  /** Marks of what a change takes that only one can have, such as somebody's time; whoever waits to take one is told. */
  marksTaken?(change: Change): readonly string[];
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

/** Whether a change is for this viewer: they may read what it is of, and see the row that it left or took away. */
export function seesChange(
  { permission, visibility }: LoggedEntity,
  viewer: Viewer,
  { before, after }: Change,
): boolean {
  const row = after ?? before;
  return viewer.may(permission) && (visibility === undefined || (row !== null && visibility.sees(viewer, row)));
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

/** The marks that a run of changes takes. */
export const takenMarks = (registry: Registry, changes: readonly Change[]): ReadonlySet<string> =>
  new Set(changes.flatMap((change) => registry.get(change.entity)?.marksTaken?.(change) ?? []));
