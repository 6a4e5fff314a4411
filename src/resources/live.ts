import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { formatId, uuidOf } from '../core/id.ts';
import type { ListQuery } from '../core/list-query.ts';
import { compileProjection } from '../core/project.ts';
import { type Key, keysOf } from '../data/keyset.ts';
import {
  type Counted,
  type LiveList,
  type LiveRoute,
  type LiveRows,
  MOST_FOLLOWED,
  type Place,
} from '../data/live-list.ts';
import { narrowed } from '../data/narrow.ts';
import { askedOf } from './filters.ts';
import { conditionsOf, includeTags } from './page.ts';
import { type Parent, parentThere, partedBy } from './parent.ts';
import type { Resource } from './resource.ts';
import { type Owner, ownRows, seenBy } from './row-sql.ts';

/** How a room follows the lists of a resource, or of what belongs to one parent: the same filters, sorts and rights as GET. */
export function liveRoute(resource: Resource, parent?: Parent): LiveRoute {
  const name = parent === undefined ? resource.topic : `${parent.of.topic}.${resource.topic}`;
  return {
    permission: resource.permission,
    parse(params, parentText, viewer): LiveList {
      const query = askedOf(resource.list, params);
      if (query.mode === 'cursor' || query.page > 1) throw unfollowed('Only the first page of a list can be followed.');
      if (resource.validUntil?.(query, 0) != null) throw unfollowed('The clock alone changes this list.');
      const seen = seenBy(resource, viewer);
      const parentId = parent === undefined ? null : uuidOf(parent.of.prefix, parentText ?? '');
      const own = parent === undefined || parentId === null ? seen : partedBy(seen, parent, parentId);
      const there = parent === undefined || parentId === null ? null : parentThere(parent, viewer, parentId);
      const scope = resource.visibility?.scope(viewer) ?? '';
      const rows = rowsOf(own, query);
      return {
        key: `${name} ${scope} ${parentId ?? ''}?${query.normalised}`,
        permission: resource.permission,
        tags: new Set([...resource.listTags(query), ...includeTags(resource, query.include)]),
        rows,
        count: () => counted(own, query, viewer, { placed: rows !== null, there }),
      };
    },
  };
}

const unfollowed = (detail: string): AppError => new AppError('invalid_parameter', detail);

/** The list without a database; null where a search, something embedded or a filter asks more than a row can answer. */
function rowsOf(resource: Resource, query: ListQuery): LiveRows | null {
  if (query.search !== null || query.include.length > 0) return null;
  const filters = resource.filters(query);
  const conditions = filters.flatMap(({ holds }) => holds ?? []);
  if (conditions.length < filters.length) return null;
  const parts = resource.parts?.(query);
  if (parts !== undefined) conditions.unshift((row) => (parts.values as readonly unknown[]).includes(parts.of(row)));
  const keys = keysOf(resource.sorts, query.sort, resource.id);
  const values = keys.slice(0, -1);
  const project = compileProjection(query.fields);
  const shown = query.fields ?? resource.list.fields;
  return {
    entity: resource.entity,
    limit: query.limit,
    holds: (row) => conditions.every((holds) => holds(row)),
    placeOf: (row) => ({ id: String(row.id), values: values.map(({ property }) => row[property] ?? null) }),
    compare: (one, other) => comparePlaces(keys, one, other),
    isSortable: query.sort.every(({ field }) => shown.includes(field)),
    show: (row, schemaVersion) => JSON.stringify(project(resource.view(row, schemaVersion))),
    publicId: (id) => formatId(resource.prefix, id),
  };
}

/** The order of `orderOf`, of values as `to_jsonb` writes them: instants in UTC and dates are texts in order of time. */
function comparePlaces(keys: readonly Key[], one: Place, other: Place): number {
  for (const [i, { descending }] of keys.entries()) {
    const isId = i === keys.length - 1;
    const [a, b] = isId ? [one.id, other.id] : [one.values[i] ?? null, other.values[i] ?? null];
    if (a === b) continue;
    // Nulls are last, whatever the direction.
    if (a === null) return 1;
    if (b === null) return -1;
    const order = typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : Number(a) - Number(b);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}

/** By code points, as the database's collation does it; JavaScript's own order is by UTF-16 units. */
export function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i += 1) {
    const a = one.charCodeAt(i);
    const b = other.charCodeAt(i);
    if (a !== b) return ranked(a) - ranked(b);
  }
  return one.length - other.length;
}

/** Surrogates stand for what lies behind all other characters. */
const ranked = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

function counted(
  resource: Resource,
  query: ListQuery,
  owner: Owner,
  { placed, there }: { placed: boolean; there: SQL | null },
): SQL<Counted> {
  const isThere = there === null ? sql`true` : sql`exists (${there})`;
  const most = MOST_FOLLOWED + 1;
  if (!placed) {
    const found = sql`select 1 from ${resource.table} where ${conditionsOf(resource, query, owner)} limit ${most}`;
    return sql`select count(*)::int as size, null as places, ${isThere} as "isThere" from (${found}) r`;
  }
  const keys = keysOf(resource.sorts, query.sort, resource.id);
  const way = {
    ...{ table: resource.table, company: ownRows(resource, owner), keys },
    ...{ parts: resource.parts?.(query) ?? null, at: null, backwards: false, where: [] },
  };
  const values = keys.slice(0, -1).map((_, i) => sql.raw(`r.k${i}`));
  const place = sql`jsonb_build_object('id', r.id, 'values', jsonb_build_array(${sql.join(values, sql`, `)}))`;
  return sql`select count(*)::int as size, coalesce(jsonb_agg(${place}), '[]') as places, ${isThere} as "isThere"
    from (${narrowed(way, resource.filters(query), most)}) r`;
}
