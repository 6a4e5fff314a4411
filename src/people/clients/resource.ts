import { sql } from 'drizzle-orm';
import { formatId } from '../../core/id.ts';
import type { Filter } from '../../data/narrow.ts';
import type { Resource } from '../../resources/resource.ts';
import { documentConditions, documentFilters, documentSorts, textSort } from '../../resources/row-sql.ts';
import { clientNoun } from './noun.ts';
import { ClientView } from './schema.ts';
import { CLIENT_STATUSES } from './table.ts';

const table = sql`clients`;

export const clientResource: Resource = {
  ...clientNoun,
  version: 1,
  writePermission: 'clients:write',
  table,
  row: sql`to_jsonb(clients) - 'search_text'`,
  id: sql`clients.id`,
  companyId: sql`clients.company_id`,
  list: {
    filters: {
      status: {
        kind: 'enumList',
        values: CLIENT_STATUSES,
        description: 'One or several; archived clients are shown only when asked for.',
      },
      tag: { kind: 'text', description: 'Has this tag.' },
      ...documentFilters,
    },
    sorts: ['createdAt', 'updatedAt', 'lastName', 'firstName', 'name'],
    fields: Object.keys(ClientView.shape),
    includes: ['duplicates', 'stats'],
    search: true,
  },
  sorts: {
    ...documentSorts(table),
    lastName: textSort(table, 'last_name', true),
    firstName: textSort(table, 'first_name', true),
    name: textSort(table, 'name', true),
  },
  // Twin of app.client_filter (migrations/0007_clients.sql), which ranked searches use.
  parts: ({ filters }) => ({
    column: sql`clients.status`,
    // What is archived is out of sight until asked for by name.
    values: (filters.status as string[] | undefined) ?? CLIENT_STATUSES.filter((status) => status !== 'ARCHIVED'),
  }),
  filters({ filters }) {
    const { tag } = filters;
    const tagged: Filter = {
      where: sql`clients.tags @> array[${tag}::text]`,
      find: (most) => sql`select id from app.tagged_clients(${tag}::text, ${most}::int) as tagged (id)`,
    };
    return [...(tag === undefined ? [] : [tagged]), ...documentConditions(table, filters)];
  },
  // Behind row-level security no index would be asked for the tag.
  count: ({ filters }, most) =>
    filters.tag === undefined
      ? null
      : sql`app.count_tagged_clients(${filters.tag}::text, ${JSON.stringify(filters)}::jsonb, ${most}::int)`,
  search: {
    page: ({ search, filters, rank, id, backwards, offset, limit }) =>
      sql`app.search_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${rank}::int, ${id}::uuid, ${backwards}::boolean, ${offset}::int, ${limit}::int)`,
    sorted: ({ search, filters, sort, at, backwards, offset, limit }) =>
      sql`app.sort_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${JSON.stringify(sort)}::jsonb,
        ${at === null ? null : JSON.stringify(at)}::jsonb, ${backwards}::boolean, ${offset}::int, ${limit}::int)`,
    count: ({ search, filters, most }) =>
      sql`app.count_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${most}::int)`,
    matches: (search) => sql`clients.id in (select app.match_clients(${search}))`,
  },
  includes: {
    duplicates: {
      // Another client's change may make or unmake one.
      tags: ['clients'],
      select: sql`app.client_duplicates(clients.id, clients.email, clients.phone)`,
      present: (ids) => (ids as string[]).map((id) => formatId('clnt', id)),
    },
    stats: { tags: ['company'], select: sql`app.client_stats(clients.id)`, present: (stats) => stats },
  },
  listTags: () => ['clients'],
  detailTags: (id) => [`clients/${id}`],
};
