import * as z from 'zod';
import { email, externalId, phone } from '../../http/schemas.ts';
import type { Importer, MatchKey } from '../../insight/imports/importer.ts';
import { ClientPatch } from './schema.ts';

/** A number as people write it: with spaces and dashes, 00 for the plus, the (0) of calls within the country. */
const writtenPhone = () =>
  z
    .string()
    .transform((text) =>
      text
        .replace('(0)', '')
        .replaceAll(/[\s()./-]/g, '')
        .replace(/^00/, '+'),
    )
    .pipe(phone());

const row = { ...ClientPatch.shape, phone: writtenPhone().nullable().optional() };

/** A row by what it is matched by, which it must have. */
const SCHEMAS = {
  externalId: z.strictObject({ ...row, externalId: externalId() }),
  email: z.strictObject({ ...row, email: email() }),
  phone: z.strictObject({ ...row, phone: writtenPhone() }),
};

type ClientRow = z.output<(typeof SCHEMAS)[MatchKey]>;

/** How a client is found by a row's key, case aside where the field has none. */
const FOUND: Readonly<Record<MatchKey, string>> = {
  externalId: 'c.external_id = r.key',
  email: 'lower(c.email) = lower(r.key)',
  phone: 'c.phone = r.key',
};

/** Columns by field; a field that is absent is left alone. */
const COLUMNS = {
  externalId: 'external_id',
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
 * console cannot slip in between. By address or number, those who are erased or merged away are nobody, and archived ones
 * only where nobody else has it; two who have it are a fault of the row.
 */
const upsert = (match: MatchKey): string => `
with rows as (
  select (r ->> 'id')::uuid as id, r ->> 'key' as key, r -> 'given' as given, (r ->> 'cells')::boolean as cells
  from jsonb_array_elements($1) r),
found as materialized (
  select r.key, c.* from rows r join clients c on c.company_id = app.company() and ${FOUND[match]}
    ${match === 'externalId' ? '' : 'and c.erased_at is null and c.merged_into is null'}
  for no key update of c),
held as (
  select f.*, count(*) over (partition by f.key) as holders from found f
  where f.status <> 'ARCHIVED' or not exists (select from found o where o.key = f.key and o.status <> 'ARCHIVED')),
merged as (
  select coalesce(h.id, g.id) as id, app.refuse(h.erased_at is not null, 'erased')
      and app.refuse(h.holders > 1, 'ambiguous_match', '{"pointer": "/${match}", "detail": "Several clients have this ${match}."}') as living,
    ${['external_id', 'first_name', 'last_name', 'email', 'phone', 'notes'].map(text).join(',\n    ')},
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
  from rows g left join held h on h.key = g.key),
done as (
  insert into clients as c (company_id, id, external_id, first_name, last_name, email, phone, notes, status, tags, custom_fields)
  select app.company(), id, external_id, first_name, last_name, email, phone, notes, status, tags, custom_fields from merged where living
  on conflict (company_id, id) do update set external_id = excluded.external_id, first_name = excluded.first_name, last_name = excluded.last_name,
    email = excluded.email, phone = excluded.phone, notes = excluded.notes, status = excluded.status, tags = excluded.tags,
    custom_fields = excluded.custom_fields
  where (c.external_id, c.first_name, c.last_name, c.email, c.phone, c.notes, c.status, c.tags, c.custom_fields) is distinct from
    (excluded.external_id, excluded.first_name, excluded.last_name, excluded.email, excluded.phone, excluded.notes, excluded.status, excluded.tags, excluded.custom_fields)
  returning old.version as before)
select jsonb_build_object('created', count(*) filter (where before is null), 'updated', count(before),
  'unchanged', (select count(*) from merged where living) - count(*)) from done`;

const UPSERTS = { externalId: upsert('externalId'), email: upsert('email'), phone: upsert('phone') };

export const clientImporter: Importer = {
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
  matches: ['externalId', 'email', 'phone'],
  schema: (match) => SCHEMAS[match],
  row(match, value, id, cells) {
    const client = value as ClientRow;
    const given: Record<string, unknown> = {};
    for (const [field, column] of Object.entries(COLUMNS)) {
      const own = client[field as keyof typeof COLUMNS];
      if (own !== undefined) given[column] = own;
    }
    return { id, key: client[match], given, cells };
  },
  upsert: (match) => UPSERTS[match],
};
