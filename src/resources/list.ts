import { type SQL, sql } from 'drizzle-orm';
import { type Cursor, decodeCursor, encodeCursor, invalidCursor } from '../core/cursor.ts';
import { AppError } from '../core/errors.ts';
import { NOBODY, uuidOf } from '../core/id.ts';
import { type ListQuery, parseDetailQuery } from '../core/list-query.ts';
import { compileProjection } from '../core/project.ts';
import { canBegin } from '../data/keyset.ts';
import type { Row } from '../data/log.ts';
import type { Handler } from '../http/authenticate.ts';
import type { Principal } from '../http/context.ts';
import { askedOf } from './filters.ts';
import {
  embed,
  includeTags,
  isRanked,
  MOST_PAGED,
  mostCounted,
  type PageStatements,
  pageStatements,
  presentIncludes,
  scopeOf,
} from './page.ts';
import { narrowedTo, type Parent, paramOf, parentIdOf, parentThere, partedBy } from './parent.ts';
import { type Found, wholePage, written } from './pieces.ts';
import { type ParsedQuery, type ReadRoute, read, TTL } from './read.ts';
import type { Resource } from './resource.ts';
import { rowOf, seenBy } from './row-sql.ts';

/** Rows of a page that whatever they are is no large one, as far as anybody has to wait for another to see. */
const ORDINARY = 20;

type PageQuery = ListQuery & {
  at: Cursor | null;
  path: string;
  /** What links say besides: `normalised` alone, which beside a parent also names it. */
  asked: string;
  parentId: string | null;
};

/** GET of a collection, or of what belongs to one parent. */
export const list = (resource: Resource, parent?: Parent): Handler => read(listRoute(resource, parent));

/** Which object: the caller's own, or what belongs to the parent in the path. */
type Which = { own?: (principal: Principal) => string; parent?: Parent };

/** GET of one object: by the id in the path, unless told otherwise. */
export const detail = (resource: Resource, which: Which = {}): Handler => read(detailRoute(resource, which));

/** How a collection is read: pages, cursors, filters, sorts, fields (contract 2, "Lists"). */
export function listRoute(resource: Resource, parent?: Parent): ReadRoute<PageQuery, PageStatements> {
  const name = parent === undefined ? `${resource.topic}.list` : `${parent.of.topic}.${resource.topic}.list`;
  return {
    name,
    version: resource.version,
    permission: resource.permission,
    ...scopeOf(resource),
    ttl: TTL.list,
    linked: true,
    parse(params, principal, c) {
      const query = ofParent(askedOf(resource.list, params), parent === undefined ? null : parentIdOf(c, parent));
      const expected = { company: principal.companyId, route: name, query: query.filterKey };
      const at = query.cursor === null ? null : decodeCursor(c.env.deps.settings.cursorSecret, query.cursor, expected);
      if (at !== null && !beginsHere(resource, query, at)) throw invalidCursor('invalid_cursor');
      return { ...query, at, path: c.req.path };
    },
    tags: (query) => [
      ...resource.listTags(query),
      ...includeTags(resource, query.include),
      ...(parent === undefined || query.parentId === null ? [] : parent.of.detailTags(query.parentId)),
    ],
    statements(query, principal) {
      const seen = seenBy(resource, principal);
      if (parent === undefined || query.parentId === null) return pageStatements(seen, query, query.at, principal);
      const own = pageStatements(partedBy(seen, parent, query.parentId), query, query.at, principal);
      return [...own, parentThere(parent, principal, query.parentId)];
    },
    isHeavy: ({ search }) => search !== null,
    mayBeLarge: ({ limit }) => limit > ORDINARY,
    complete(work, query, principal, taken) {
      const project = compileProjection(query.fields);
      const take = (row: Row, found: Found): void => {
        const view = project(resource.view(row, resource.version));
        found.shown = JSON.stringify({
          ...view,
          ...presentIncludes(resource, query.include, found.embedded, principal),
        });
        found.values = query.sort.map(({ field }) => row[resource.sorts[field]?.property ?? 'id'] as string | null);
      };
      const isWhole = query.fields === null;
      return wholePage(work, { resource, owner: principal, name, limit: query.limit, isWhole, take }, taken);
    },
    answer([found, ...others], query, principal, c) {
      if (parent !== undefined && others.at(-1)?.length === 0) throw notFound(parent.of);
      const more = found.length > query.limit;
      const rows = found.slice(0, query.limit);
      const backwards = query.at?.direction === 'prev';
      if (backwards) rows.reverse();
      const cursorAt = (found: Found | undefined, direction: 'next' | 'prev'): string | null => {
        if (found === undefined) return null;
        const values = isRanked(query) ? [Number(found.rank)] : (found.values ?? []);
        const cursor: Cursor = {
          company: principal.companyId,
          route: name,
          query: query.filterKey,
          values,
          id: found.id,
          direction,
        };
        return encodeCursor(c.env.deps.settings.cursorSecret, cursor);
      };
      // A walk that ran into an empty page turns round at its cursor, the row it stands on included.
      const turn = (direction: 'next' | 'prev'): string | null => {
        if (query.at === null) return null;
        const descending = isRanked(query) || (query.sort.at(-1)?.descending ?? false);
        const id = descending === (direction === 'next') ? LAST_ID : NOBODY;
        return encodeCursor(c.env.deps.settings.cursorSecret, { ...query.at, id, direction });
      };
      const hasNext = backwards ? true : more;
      const next = hasNext ? (cursorAt(rows.at(-1), 'next') ?? turn('next')) : null;
      const hasPrev = query.at !== null && (backwards ? more : true);
      const prev = hasPrev ? (cursorAt(rows[0], 'prev') ?? turn('prev')) : null;
      const total = query.count === 'none' ? null : (others[0]?.[0]?.total ?? 0);
      const pagination = paginationOf(query, { total, hasNext, next, prev });
      return {
        body: written(rows, JSON.stringify(pagination)),
        link: linkOf(query, next, prev),
        validUntil: resource.validUntil?.(query, Date.now()) ?? null,
      };
    },
  };
}

/** Of one parent: keys and cursors name it, links have it in their path. */
const ofParent = (query: ListQuery, parentId: string | null) => ({
  ...query,
  parentId,
  asked: query.normalised,
  ...(parentId !== null && {
    normalised: `${parentId}?${query.normalised}`,
    filterKey: `${parentId}?${query.filterKey}`,
  }),
});

/** A ranked search begins at a rank, every other list at the values of its sort. */
function beginsHere(resource: Resource, query: ListQuery, at: Cursor): boolean {
  if (!isRanked(query)) return canBegin(resource.sorts, query.sort, at);
  return canBegin({ rank: { ...RANK, column: resource.id } }, [{ field: 'rank', descending: true }], at);
}

const RANK = { type: 'real', nullable: false, property: 'rank' } as const;

type Ends = { total: number | null; hasNext: boolean; next: string | null; prev: string | null };

function paginationOf(query: PageQuery, { total, hasNext, next, prev }: Ends): Record<string, unknown> {
  const most = mostCounted(query);
  const estimate = most !== null && total !== null && total > most;
  const counted =
    total === null
      ? {}
      : {
          total: estimate ? most : total,
          ...((estimate || query.count === 'estimated') && { totalIsEstimate: estimate }),
        };
  if (query.mode === 'cursor')
    return { limit: query.limit, ...counted, hasNextPage: hasNext, nextCursor: next, prevCursor: prev };
  const pages = total === null ? {} : { totalPages: Math.ceil(total / query.limit) };
  return { page: query.page, limit: query.limit, ...counted, ...pages, hasNextPage: hasNext, nextCursor: next };
}

/** RFC 8288: first, prev and next, each with the same filters. */
function linkOf(query: PageQuery, next: string | null, prev: string | null): string {
  const to = (rel: string, change: (p: URLSearchParams) => void): string => {
    // From the normalised query, not from the URL: every spelling of a query shares one cached answer.
    const changed = new URLSearchParams(query.asked);
    changed.delete('page');
    changed.delete('cursor');
    change(changed);
    const text = changed.toString();
    return `<${query.path}${text === '' ? '' : `?${text}`}>; rel="${rel}"`;
  };
  const links = [to('first', () => undefined)];
  if (query.mode === 'page') {
    if (query.page > 1) links.push(to('prev', (p) => p.set('page', String(query.page - 1))));
    const deeper = (query.page + 1) * query.limit <= MOST_PAGED;
    if (next !== null)
      links.push(to('next', (p) => (deeper ? p.set('page', String(query.page + 1)) : p.set('cursor', next))));
  } else {
    if (prev !== null) links.push(to('prev', (p) => p.set('cursor', prev)));
    if (next !== null) links.push(to('next', (p) => p.set('cursor', next)));
  }
  return links.join(', ');
}

type DetailQuery = ParsedQuery & {
  id: string;
  parentId: string | null;
  fields: readonly string[] | null;
  include: readonly string[];
};

type DetailStatements = readonly [SQL<{ row: Row; embedded: Found['embedded'] }>];

/** How one object is read. */
export function detailRoute(resource: Resource, { own, parent }: Which = {}): ReadRoute<DetailQuery, DetailStatements> {
  return {
    name: parent === undefined ? `${resource.topic}.detail` : `${parent.of.topic}.${resource.topic}.detail`,
    version: resource.version,
    permission: resource.permission,
    ...scopeOf(resource),
    ttl: TTL.detail,
    parse(params, principal, c) {
      const { fields, include, normalised } = parseDetailQuery(resource.list, params);
      const name = parent === undefined ? 'id' : paramOf(resource);
      const id = own?.(principal) ?? uuidOf(resource.prefix, c.req.param(name) ?? '');
      const parentId = parent === undefined ? null : parentIdOf(c, parent);
      const path = parentId === null ? id : `${parentId}/${id}`;
      return { id, parentId, fields, include, normalised: `${path}?${normalised}` };
    },
    tags: ({ id, include }) => [...resource.detailTags(id), ...includeTags(resource, include)],
    statements({ id, parentId, include }, principal) {
      const seen = parent === undefined || parentId === null ? resource : narrowedTo(resource, parent, parentId);
      return [
        sql`select ${resource.row} as row, ${embed(resource, include)} as embedded from ${resource.table} where ${rowOf(seen, { principal, id })}`,
      ];
    },
    answer([[found]], query, principal) {
      if (found === undefined) throw notFound(resource);
      const view = compileProjection(query.fields)(resource.view(found.row, resource.version));
      return {
        body: JSON.stringify({ ...view, ...presentIncludes(resource, query.include, found.embedded, principal) }),
      };
    },
  };
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The same for absent, malformed and another company's. */
export const notFound = (resource: Resource): AppError =>
  new AppError('not_found', `There is no such ${resource.entity}.`);
