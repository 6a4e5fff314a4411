import { type SQL, sql } from 'drizzle-orm';
import type { Filtered } from '../core/list-query.ts';
import { boundary, type Key, keysOf, orderOf, type SortColumn } from '../data/keyset.ts';
import { ofParts } from '../data/walk.ts';
import type { Resource, SearchFunctions } from './resource.ts';

type Searched = Pick<Resource, 'tableName' | 'table' | 'id' | 'companyId' | 'sorts' | 'filters' | 'parts'>;

/**
 * The search of a resource of thousands of rows: `app.search_rows` ranks what it finds, the list's own conditions and sorts do
 * the rest. Clients, of whom there are a hundred thousand, have one that is walked.
 */
export function wordSearch(resource: Searched): SearchFunctions {
  const { tableName, table, id, companyId, sorts } = resource;
  const hits = (search: string): SQL => sql`app.search_rows(${tableName}, ${search})`;
  const rows = (search: string, { filters }: Filtered, more: readonly SQL[] = []): SQL => {
    const parts = resource.parts?.({ filters });
    const conditions = [
      sql`${companyId} = app.company()`,
      ...(parts === undefined ? [] : [ofParts(parts)]),
      ...resource.filters({ filters }).map(({ where }) => where),
      ...more,
    ];
    return sql`${hits(search)} hit join ${table} on ${id} = hit.id where ${sql.join(conditions, sql` and `)}`;
  };
  return {
    page({ search, filters, rank, id: after, backwards, offset, limit }) {
      const [way, beyond] = backwards ? [sql`asc`, sql`>`] : [sql`desc`, sql`<`];
      const more = rank === null ? [] : [sql`(hit.rank, hit.id) ${beyond} (${rank}::int, ${after}::uuid)`];
      return sql`(select hit.id, hit.rank from ${rows(search, { filters }, more)}
        order by hit.rank ${way}, hit.id ${way} offset ${offset} limit ${limit})`;
    },
    sorted({ search, filters, sort, at, backwards, offset, limit }) {
      const keys: Key[] = keysOf(
        byProperty(sorts),
        sort.map(({ column, descending }) => ({ field: column, descending })),
        id,
      );
      const more = at === null ? [] : [boundary(keys, at, backwards)];
      const order = sql.join(
        keys.map((key) => orderOf(key, backwards)),
        sql`, `,
      );
      return sql`(select ${id}, row_number() over (order by ${order}) from ${rows(search, { filters }, more)}
        order by ${order} offset ${offset} limit ${limit}) as found (id, place)`;
    },
    count: ({ search, filters, most }) =>
      sql`(select count(*)::int from (select 1 from ${rows(search, { filters })} ${most === null ? sql`` : sql`limit ${most}`}) counted)`,
    matches: (search) => sql`${id} in (select hit.id from ${hits(search)} hit)`,
  };
}

const byProperty = (sorts: Readonly<Record<string, SortColumn>>): Record<string, SortColumn> =>
  Object.fromEntries(Object.values(sorts).map((column) => [column.property, column]));
