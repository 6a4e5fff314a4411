import { type SQL, sql } from 'drizzle-orm';
import type { Money } from '../../core/currency.ts';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant.ts';
import { ERASED } from '../../data/registry.ts';
import { byStatus } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { clientImport } from './import.ts';
import { ClientCreate, ClientPatch, ClientView } from './schema.ts';
import { clients } from './table.ts';

type Stats = { visits: number; noShows: number; spent?: Money; lastVisitAt: string | null };
const PAYMENTS = 'payments:read';
/** What was spent is told by payments, and shown to whoever may read those. Postgres writes instants in its own way. */
const shownStats = ({ spent, lastVisitAt, ...counts }: Stats, isShown: boolean): Stats => ({
  ...counts,
  ...(isShown && spent !== undefined && { spent }),
  lastVisitAt: instantOf(lastVisitAt),
});

/** The clients with a tag, as the index of tags holds them. */
const tagged = (
  tag: unknown,
): SQL => sql`(select t.client_id as id, t.company_id, t.status, t.created_at, t.updated_at, t.first_name, t.last_name,
  coalesce(t.other_name, nullif(trim(coalesce(t.first_name, '') || ' ' || coalesce(t.last_name, '')), '')) as name, array[t.tag] as tags
  from client_tags t where t.tag = ${tag}::text)`;

export const client = tenantResource(clients, {
  entity: 'client',
  prefix: 'clnt',
  permission: 'clients',
  view: ClientView,
  create: ClientCreate,
  patch: ClientPatch,
  computed: { mergedInto: ({ merged_into: id }) => (id === null ? null : formatId('clnt', id)) },
  // Twin of app.client_filter (migrations/0007_clients.sql), which searches use.
  archive: byStatus('status'),
  filters: {
    tag: {
      kind: 'text',
      description: 'Has this tag.',
      condition: (tag) => ({
        where: sql`clients.tags @> array[${tag}::text]`,
        holds: ({ tags }) => Array.isArray(tags) && tags.includes(tag),
        held: { rows: tagged(tag), along: 'created_at' },
      }),
    },
  },
  sorts: ['lastName', 'firstName', 'name'],
  search: {
    page: ({ search, filters, rank, id, backwards, offset, limit }) =>
      sql`app.search_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${rank}::int, ${id}::uuid, ${backwards}::boolean, ${offset}::int, ${limit}::int)`,
    sorted: ({ search, filters, sort, at, backwards, offset, limit }) =>
      sql`app.sort_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${JSON.stringify(sort)}::jsonb,
        ${at === null ? null : JSON.stringify(at)}::jsonb, ${backwards}::boolean, ${offset}::int, ${limit}::int) with ordinality as found (id, place)`,
    count: ({ search, filters, most }) =>
      sql`app.count_clients(${search}, ${JSON.stringify(filters)}::jsonb, ${most}::int)`,
    matches: (search) => sql`clients.id in (select app.match_clients(${search}))`,
  },
  includes: {
    duplicates: {
      // Another client's change may make or unmake one.
      tags: ['clients'],
      select: sql`app.client_duplicates(clients.id, clients.email, clients.phone)`,
      present: (ids: string[]) => ids.map((id) => formatId('clnt', id)),
    },
    stats: {
      tags: ['company', 'appointments', 'payments'],
      select: sql`app.client_stats(clients.id)`,
      asks: [PAYMENTS],
      present: (stats: Stats, may) => shownStats(stats, may(PAYMENTS)),
    },
  },
  imports: clientImport,
  actions: {
    erased: (before, after) => before.erased_at === null && after.erased_at !== null,
    merged: (before, after) => before.merged_into === null && after.merged_into !== null,
  },
  touches: ({ before, after }) => (before?.erased_at === null && after?.erased_at !== null ? [ERASED] : []),
  constraints: {
    clients_identified: {
      code: 'invalid_body',
      pointer: ['/firstName', '/lastName', '/externalId', '/email', '/phone'],
      detail: 'At least one of firstName, lastName, externalId, email, phone must remain.',
    },
    clients_custom_fields: { code: 'invalid_body', pointer: '/customFields', detail: 'Must have at most 50 keys.' },
  },
});
