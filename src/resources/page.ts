import { type SQL, sql } from 'drizzle-orm';
import type { Cursor } from '../core/cursor.ts';
import type { ListQuery } from '../core/list-query.ts';
import { keysOf } from '../data/keyset.ts';
import { besides, type Filter, heldBy, inPlaceOf, narrowed } from '../data/narrow.ts';
import { ofParts, orderAgain } from '../data/walk.ts';
import type { Principal } from '../http/context.ts';
import { type Found, firstPiece } from './pieces.ts';
import type { ParsedQuery, ReadRoute } from './read.ts';
import type { Resource, SearchFunctions } from './resource.ts';
import { type Owner, ownRows } from './row-sql.ts';

/** The rows that pages can reach, and up to where an estimated count is an exact one. */
export const MOST_PAGED = 10_000;

/** The same of a search, whose totals are estimated unless `count=exact`: counting costs what finding all would. */
const MOST_FOUND = 1000;

/** A search without a sort of its own is sorted by how well its words were hit. */
export const isRanked = (query: ListQuery): boolean => query.search !== null && !query.explicitSort;

/** How far this query counts; null for to the end. */
export function mostCounted(query: ListQuery): number | null {
  if (query.count !== 'estimated') return null;
  return query.search === null ? MOST_PAGED : MOST_FOUND;
}

/** The conditions on the rows of a list or an export. @param filters those that where the rows are read from does not say */
export function conditionsOf(
  resource: Resource,
  query: ListQuery,
  owner: Owner,
  filters: readonly Filter[] = resource.filters(query),
): SQL {
  const parts = resource.parts?.(query);
  const own = [
    ownRows(resource, owner),
    ...(parts === undefined ? [] : [ofParts(parts)]),
    ...filters.map(({ where }) => where),
  ];
  if (query.search !== null && resource.search !== undefined) own.push(resource.search.matches(query.search));
  return sql.join(own, sql` and `);
}

/** The total is the second, where it is asked for. */
export type PageStatements = readonly [page: SQL<Found>, ...total: SQL<{ total: number }>[]];

/** One page as `firstPiece` answers it: `id`, `embedded` and, of a ranked search, `rank`; then the total, if asked for. */
export function pageStatements(resource: Resource, query: ListQuery, at: Cursor | null, owner: Owner): PageStatements {
  const { search, filters, count } = query;
  const offset = query.mode === 'page' ? (query.page - 1) * query.limit : 0;
  const limit = query.limit + 1;
  const most = mostCounted(query);
  const company = ownRows(resource, owner);
  const columns = sql`(${resource.row})::text as text, ${resource.id} as id, ${embed(resource, query.include)} as embedded`;
  if (search !== null && resource.search !== undefined) {
    const page = searched(resource, resource.search, { ...query, search }, at, { offset, limit });
    const found = sql`select ${columns}, ${page.rank} as rank from ${page.from} join ${resource.table}
      on ${company} and ${resource.id} = found.id order by ${page.order}`;
    const first = firstPiece(found, query.limit);
    if (count === 'none') return [first];
    const total = resource.search.count({ search, filters, most: most === null ? null : most + 1 });
    return [first, sql<{ total: number }>`select ${total} as total`];
  }
  const keys = keysOf(resource.sorts, query.sort, resource.id);
  const backwards = at?.direction === 'prev';
  const narrowing = resource.filters(query);
  const way = {
    ...{ table: resource.table, company, keys, backwards, where: [] },
    parts: resource.parts?.(query) ?? null,
    at: at === null ? null : [...at.values, at.id],
  };
  // Ids first: what lies before the page is passed over in the index, and only the page's own rows are read.
  const ids = sql`select * from (${narrowed(way, narrowing, offset + limit)}) walked
    order by ${orderAgain(keys, backwards, sql`walked`)} limit ${limit} offset ${offset}`;
  const rows = sql`select ${columns}, null as rank from (${ids}) page join ${resource.table} on ${company} and ${resource.id} = page.id
    order by ${orderAgain(keys, backwards, sql`page`)}`;
  const page = firstPiece(rows, query.limit);
  if (count === 'none') return [page];
  const held = heldBy(narrowing);
  const source = held === null ? resource.table : inPlaceOf(resource.table, held);
  const filtered = sql`${conditionsOf(resource, query, owner, besides(narrowing, held))}${most === null ? sql`` : sql` limit ${most + 1}`}`;
  return [
    page,
    sql<{
      total: number;
    }>`select count(*)::int as total from (select 1 from ${source} where ${filtered}) counted`,
  ];
}

/** The page of a search as a table `found` of ids, and its order: by rank, or by a sort of its own. */
function searched(
  resource: Resource,
  functions: SearchFunctions,
  query: ListQuery & { search: string },
  at: Cursor | null,
  range: { offset: number; limit: number },
): { from: SQL; rank: SQL; order: SQL } {
  const { search, filters } = query;
  const backwards = at?.direction === 'prev';
  if (isRanked(query)) {
    const rank = at === null ? null : Number(at.values[0]);
    const page = functions.page({ search, filters, rank, id: at?.id ?? null, backwards, ...range });
    const way = backwards ? sql`asc` : sql`desc`;
    return { from: sql`${page} as found`, rank: sql`found.rank`, order: sql`found.rank ${way}, found.id ${way}` };
  }
  const sort = query.sort.flatMap(({ field, descending }) => {
    const column = resource.sorts[field]?.property;
    return column === undefined ? [] : [{ column, descending }];
  });
  const place = at === null ? null : [...at.values, at.id];
  const page = functions.sorted({ search, filters, sort, at: place, backwards, ...range });
  return { from: page, rank: sql`null`, order: sql`found.place` };
}

/** What `include=` asks for, as one jsonb object of a row. */
export function embed(resource: Resource, include: readonly string[]): SQL {
  const parts = include.map((name) => sql`${name}::text, ${resource.includes?.[name]?.select ?? sql`null`}`);
  return parts.length === 0 ? sql`null::jsonb` : sql`jsonb_build_object(${sql.join(parts, sql`, `)})`;
}

/** That object as the answer shows it. */
export function presentIncludes(
  resource: Resource,
  include: readonly string[],
  embedded: Found['embedded'],
  viewer: { may(permission: string): boolean },
): Record<string, unknown> {
  const may = (permission: string): boolean => viewer.may(permission);
  return Object.fromEntries(include.map((name) => [name, resource.includes?.[name]?.present(embedded?.[name], may)]));
}

/** What of a viewer changes reads of a resource: the rows they see, and what of the embedded parts. */
export function scopeOf({
  visibility,
  includes = {},
}: Resource): Pick<ReadRoute<ParsedQuery, []>, 'scope' | 'isScoped'> {
  const asked = [...new Set(Object.values(includes).flatMap(({ asks = [] }) => asks))];
  if (asked.length === 0) return visibility === undefined ? {} : { scope: visibility.scope };
  const held = (principal: Principal): string => asked.map((permission) => Number(principal.may(permission))).join('');
  if (visibility !== undefined) return { scope: (principal) => `${visibility.scope(principal)}.${held(principal)}` };
  // Without one of these a URL asks for no part, however it is spelled.
  return { scope: held, isScoped: (url) => /include|%/.test(url) };
}

export const includeTags = (resource: Resource, include: readonly string[]): readonly string[] =>
  include.flatMap((name) => resource.includes?.[name]?.tags ?? []);
