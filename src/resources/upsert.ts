import type { Field } from './fields.ts';
import { byExternalId } from './import-references.ts';
import type { MatchKey } from './importer.ts';
import type { Resource } from './resource.ts';

type Named = readonly [name: string, field: Field];

type Upsert = {
  match: MatchKey;
  found: string;
  columns: readonly Named[];
  findable?: string;
  checks?: readonly string[];
  values?: Readonly<Record<string, string>>;
};

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const refusal = (condition: string, code: string, said: object): string =>
  `app.refuse(${condition}, '${code}', ${literal(JSON.stringify(said))})`;

/**
 * The rows as they are after the merge, then one INSERT … ON CONFLICT that does not even touch a row that would be left
 * equal: a repeat of a large file writes nothing. What exists is locked first, so that a change made in a SQL console
 * cannot slip in between. By another key than the id archived ones are found only where nobody else has it; two who have it
 * are a fault of the row.
 */
export function upsertOf(resource: Resource, { match, found, columns, ...own }: Upsert): string {
  const table = resource.tableName;
  const names = columns.map(([, { name }]) => name);
  const list = (prefix = ''): string => names.map((name) => `${prefix}${name}`).join(', ');
  const defaults = Object.fromEntries(columns.map(([, { name, fallback }]) => [name, fallback]));
  const single = match === 'externalId';
  const checks = [
    ...(own.checks ?? []),
    ...(single
      ? []
      : [
          refusal('h.holders > 1', 'ambiguous_match', {
            pointer: `/${match}`,
            detail: `Several ${resource.many} have this ${match}.`,
          }),
        ]),
    ...columns
      .filter(([, { required }]) => required)
      .map(([name, field]) =>
        refusal(`h.id is null and not g.given ? '${field.name}'`, 'invalid_body', {
          ...{ pointer: `/${field.reference === null ? name : byExternalId(name)}`, detail: 'This field is required.' },
        }),
      ),
  ];
  const archived = resource.archive?.archivedSql;
  return `
with rows as (
  select (r ->> 'id')::uuid as id, r ->> 'key' as key, r -> 'given' as given, (r ->> 'cells')::boolean as cells
  from jsonb_array_elements($1) r),
found as materialized (
  select r.key, c.* from rows r join ${table} c on c.company_id = app.company() and ${found}
    ${single || own.findable === undefined ? '' : `and ${own.findable}`}
  for no key update of c),
held as (
  select f.*, count(*) over (partition by f.key) as holders from found f
  ${single || archived === undefined ? '' : `where not (f.${archived}) or not exists (select from found o where o.key = f.key and not (o.${archived}))`}),
merged as (
  select coalesce(h.id, g.id) as id, ${['true', ...checks].join('\n      and ')} as living,
    ${columns.map(([, field]) => `${own.values?.[field.name] ?? mergedValue(field)} as ${field.name}`).join(',\n    ')}
  from rows g left join held h on h.key = g.key
    cross join lateral jsonb_populate_record(null::${table}, g.given) p
    cross join lateral jsonb_populate_record(null::${table}, ${literal(JSON.stringify(defaults))}::jsonb) d),
done as (
  insert into ${table} as c (company_id, id, ${list()})
  select app.company(), id, ${list()} from merged where living
  on conflict (company_id, id) do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
  where (${list('c.')}) is distinct from (${list('excluded.')})
  returning old.version as before)
select jsonb_build_object('created', count(*) filter (where before is null), 'updated', count(before),
  'unchanged', (select count(*) from merged where living) - count(*)) from done`;
}

/** A column after the merge: absent leaves, null clears, an object is merged (RFC 7396). */
function mergedValue({ name, type }: Field): string {
  const given = `case when g.given ? '${name}' then p.${name} else h.${name} end`;
  if (type !== 'object') return `coalesce(${given}, d.${name})`;
  // A cell is text: one that reads like the number that is stored changes nothing.
  return `case when jsonb_typeof(g.given -> '${name}') = 'object' then app.merge_patch(h.${name}, (
        select coalesce(jsonb_object_agg(f.key, f.value), '{}') from jsonb_each(g.given -> '${name}') f
        where not g.cells or jsonb_typeof(f.value) <> 'string' or h.${name} ->> f.key is distinct from f.value #>> '{}'))
      else coalesce(${given}, d.${name}) end`;
}
