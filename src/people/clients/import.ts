import * as z from 'zod';
import { externalId } from '../../http/schemas.ts';
import type { Importer } from '../../insight/imports/importer.ts';
import { ClientPatch } from './schema.ts';

const ClientImport = z.strictObject({ ...ClientPatch.shape, externalId: externalId() });

/** Columns by field; a field that is absent is left alone. */
const COLUMNS = {
  firstName: 'first_name',
  lastName: 'last_name',
  email: 'email',
  phone: 'phone',
  status: 'status',
  tags: 'tags',
  notes: 'notes',
  customFields: 'custom_fields',
} as const;

const text = (column: string): string =>
  `case when g.given ? '${column}' then g.given ->> '${column}' else h.${column} end as ${column}`;

/**
 * The rows as they are after the merge, then one INSERT … ON CONFLICT that does not even touch a row that would be left
 * equal: a repeat of a large file writes nothing. What exists is locked first, so that a change made in a SQL
 * console cannot slip in between.
 */
const UPSERT = `
with rows as (
  select (r ->> 'id')::uuid as id, r ->> 'external_id' as external_id, r -> 'given' as given, (r ->> 'cells')::boolean as cells
  from jsonb_array_elements($1) r),
held as materialized (
  select c.* from clients c where c.company_id = app.company() and c.external_id in (select external_id from rows)
  for no key update),
merged as (
  select g.id, g.external_id, app.refuse(h.erased_at is not null, 'erased') as living,
    ${['first_name', 'last_name', 'email', 'phone', 'notes'].map(text).join(',\n    ')},
    -- Bringing back what was merged away would make two of one person again.
    case when h.merged_into is null and g.given ? 'status' then g.given ->> 'status' else coalesce(h.status, 'ACTIVE') end as status,
    case when g.given ? 'tags' then array(select jsonb_array_elements_text(nullif(g.given -> 'tags', 'null')))
      else coalesce(h.tags, '{}') end as tags,
    case when not g.given ? 'custom_fields' then coalesce(h.custom_fields, '{}')
      when jsonb_typeof(g.given -> 'custom_fields') = 'null' then '{}'
      -- RFC 7396 over scalars. A cell is text: one that reads like the number that is stored changes nothing.
      else jsonb_strip_nulls(coalesce(h.custom_fields, '{}') || (
        select coalesce(jsonb_object_agg(f.key, f.value), '{}') from jsonb_each(g.given -> 'custom_fields') f
        where not g.cells or h.custom_fields ->> f.key is distinct from f.value #>> '{}')) end as custom_fields
  from rows g left join held h on h.external_id = g.external_id),
done as (
  insert into clients as c (company_id, id, external_id, first_name, last_name, email, phone, notes, status, tags, custom_fields)
  select app.company(), id, external_id, first_name, last_name, email, phone, notes, status, tags, custom_fields from merged where living
  on conflict (company_id, external_id) do update set first_name = excluded.first_name, last_name = excluded.last_name,
    email = excluded.email, phone = excluded.phone, notes = excluded.notes, status = excluded.status, tags = excluded.tags,
    custom_fields = excluded.custom_fields
  where (c.first_name, c.last_name, c.email, c.phone, c.notes, c.status, c.tags, c.custom_fields) is distinct from
    (excluded.first_name, excluded.last_name, excluded.email, excluded.phone, excluded.notes, excluded.status, excluded.tags, excluded.custom_fields)
  returning old.version as before)
select jsonb_build_object('created', count(*) filter (where before is null), 'updated', count(before),
  'unchanged', (select count(*) from merged where living) - count(*)) from done`;

export const clientImporter: Importer<typeof ClientImport> = {
  resource: 'clients',
  columns: {
    externalId: 'text',
    firstName: 'text',
    lastName: 'text',
    email: 'text',
    phone: 'text',
    status: 'text',
    tags: 'list',
    notes: 'text',
  },
  objects: ['customFields'],
  ignored: ['id', 'name', 'mergedInto', 'version', 'createdAt', 'updatedAt'],
  schema: ClientImport,
  row(value, id, cells) {
    const given: Record<string, unknown> = {};
    for (const [field, column] of Object.entries(COLUMNS)) {
      const own = value[field as keyof typeof COLUMNS];
      if (own !== undefined) given[column] = own;
    }
    return { id, external_id: value.externalId, given, cells };
  },
  upsert: UPSERT,
};
