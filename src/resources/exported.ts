import { getTableName, type SQL, sql } from 'drizzle-orm';
import { uuidOf } from '../core/id.ts';
import type { Reference } from './fields.ts';
import { byExternalId, type Referring } from './import-references.ts';
import type { Look } from './planned.ts';

// What lines of an export say besides the object, so that an import of them needs nothing else, in another company either:
// beside each id of another object its external id, and what a resource's own files hold besides.

type View = Record<string, unknown>;

/** What a resource's lines say besides. `more`: per object, by its uuid, what is asked for `ids`; `needs` a permission. */
export type Exported = {
  referring(): Referring;
  more?: {
    members: readonly string[];
    needs: string;
    query(companyId: string, ids: readonly string[]): SQL<{ id: string; more: View }>;
  };
};

/** A resource, as far as it matters here. */
type Exporting = { exported?: Exported };

/** The columns of CSV that it adds. */
export const besides = ({ exported }: Exporting): string[] =>
  exported === undefined
    ? []
    : [...Object.keys(exported.referring().ids).map(byExternalId), ...(exported.more?.members ?? [])];

type Names = ReadonlyMap<string, ReadonlyMap<string, string>>;

const objectsOf = (value: unknown): View[] => (Array.isArray(value) ? (value as View[]) : []);

function* idsOf({ ids, within }: Referring, view: View): Generator<[Reference, string]> {
  const of = function* (references: Readonly<Record<string, Reference>>, object: View): Generator<[Reference, string]> {
    for (const [field, reference] of Object.entries(references)) {
      const said = object[field];
      for (const id of Array.isArray(said) ? said : [said]) if (typeof id === 'string') yield [reference, id];
    }
  };
  yield* of(ids, view);
  for (const [field, members] of Object.entries(within))
    for (const each of objectsOf(view[field])) yield* of(members, each);
}

/** An object with the external ids that are known; a list of ids has them all or none. */
function named(references: Readonly<Record<string, Reference>>, object: View, names: Names): View {
  const whole: View = {};
  for (const [field, value] of Object.entries(object)) {
    whole[field] = value;
    const reference = references[field];
    if (reference === undefined) continue;
    const known = names.get(getTableName(reference.table));
    const external = Array.isArray(value) ? value.map((id) => known?.get(String(id))) : known?.get(String(value));
    if (Array.isArray(external) ? external.every((name) => name !== undefined) : external !== undefined)
      whole[byExternalId(field)] = external;
  }
  return whole;
}

/** An object as it is shown, and its id as the database has it. */
export type Shown = { id: string; view: View };

/** Reads it for some objects, in one trip. @returns how one of them is shown with it */
export async function besidesOf(
  { exported }: Exporting,
  { companyId, look, may }: { companyId: string; look: Look; may(permission: string): boolean },
  shown: Iterable<Shown>,
): Promise<(of: Shown) => View> {
  const bare = ({ view }: Shown): View => view;
  if (exported === undefined) return bare;
  const referring = exported.referring();
  const asked = new Map<string, { reference: Reference; ids: Set<string> }>();
  const uuids: string[] = [];
  for (const { id: uuid, view } of shown) {
    uuids.push(uuid);
    for (const [reference, id] of idsOf(referring, view)) {
      const table = getTableName(reference.table);
      const own = asked.get(table) ?? { reference, ids: new Set<string>() };
      own.ids.add(id);
      asked.set(table, own);
    }
  }
  if (uuids.length === 0) return bare;
  const queries: SQL[] = [...asked].map(([table, { reference, ids }]) => {
    const known = [...ids].map((id) => uuidOf(reference.prefix, id));
    return sql`select x.id, x.external_id as name from ${sql.identifier(table)} x where x.company_id = ${companyId}::uuid
      and x.id = any (${sql.param(known)}::uuid[]) and x.external_id is not null`;
  });
  const { more } = exported;
  const isMore = more !== undefined && may(more.needs);
  if (isMore) queries.push(more.query(companyId, uuids));
  if (queries.length === 0) return bare;
  const { rows } = await look(queries);
  const names = new Map(
    [...asked].map(([table, { reference, ids }], i) => {
      const byUuid = new Map((rows[i] as { id: string; name: string }[]).map(({ id, name }) => [id, name]));
      const known = [...ids].flatMap((id): [string, string][] => {
        const name = byUuid.get(uuidOf(reference.prefix, id));
        return name === undefined ? [] : [[id, name]];
      });
      return [table, new Map(known)] as const;
    }),
  );
  const added = new Map(
    isMore ? (rows[queries.length - 1] as { id: string; more: View }[]).map((row) => [row.id, row.more]) : [],
  );
  return ({ id, view }) => {
    const whole = named(referring.ids, view, names);
    for (const [field, members] of Object.entries(referring.within))
      if (Array.isArray(view[field])) whole[field] = objectsOf(view[field]).map((each) => named(members, each, names));
    return { ...whole, ...added.get(id) };
  };
}
