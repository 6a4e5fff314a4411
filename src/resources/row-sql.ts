import { type SQL, sql } from 'drizzle-orm';
import { isObject } from '../core/json.ts';
import type { Row } from '../data/log.ts';
import type { Viewer } from '../data/registry.ts';
import type { Principal } from '../http/context.ts';
import { stored } from './fields.ts';
import type { Resource } from './resource.ts';
import { wordSearch } from './search.ts';

type Body = Readonly<Record<string, unknown>>;

/** What a write knows when it makes its statements. `expected` is the version that If-Match demands, null for any. */
export type WriteInput<B> = {
  companyId: string;
  principal: Principal;
  id: string;
  /** Whose the new object is, where the path says it. */
  parentId: string;
  body: B;
  expected: number | null;
};

/** Whose rows these are: of a viewer all that matters to `ownRows`. */
export type Owner = Pick<Viewer, 'companyId'>;

/** The rows of a company: every query of a resource names it, behind row-level security. */
export const ownRows = ({ companyId: company }: Resource, { companyId }: Owner): SQL =>
  sql`${company} = ${companyId}::uuid`;

/** The row that is asked for or written, as far as its reader or writer sees it. */
export const rowOf = (resource: Resource, { principal, id }: { principal: Viewer; id: string }): SQL =>
  sql`${ownRows(resource, principal)} and ${resource.id} = ${id}::uuid${beside(resource, principal)}`;

/** Beside the id of a row: that this viewer sees it. */
export const beside = ({ visibility }: Resource, viewer: Viewer): SQL =>
  visibility === undefined ? sql`` : sql` and ${visibility.where(viewer)}`;

/** A resource as far as this viewer sees it: for lists and exports. */
export function seenBy(resource: Resource, viewer: Viewer): Resource {
  const { visibility, search } = resource;
  if (visibility === undefined) return resource;
  const own = { where: visibility.where(viewer), holds: (row: Row) => visibility.sees(viewer, row) };
  const seen: Resource = { ...resource, filters: (query) => [...resource.filters(query), own] };
  return search === undefined ? seen : { ...seen, search: wordSearch(seen) };
}

/** Of one row or none, which only an aggregate answers too. Not `max`: for that every index is weighed again. */
const present = sql`any_value(version)`;

/** Refuses a write to nothing. */
export const expectRow = sql`app.expect_version(${present}, null)`;

/** Refuses a write that expects another version, naming the present one and how to expect it (RFC 9110, 13.1.1). */
export const sameVersion = (expected: number | null): SQL =>
  expected === null
    ? sql`true`
    : sql`app.refuse(${present} <> ${expected}::bigint, 'version_mismatch', jsonb_build_object('detail',
        format('The present version is %s. If-Match takes a version in quotes, as in If-Match: "%1$s"; an ETag is none.', ${present})))`;

/** Refuses a write to nothing, and one that expects another version. */
export const expectVersion = (resource: Resource, input: WriteInput<unknown>): SQL =>
  sql`select ${expectRow}, ${sameVersion(input.expected)} from ${resource.table} where ${rowOf(resource, input)}`;

/** What a body says of these fields as their columns hold it. */
function columnsOf({ fields, stored: own }: Resource, names: Iterable<string>, body: Body): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const name of names) {
    const field = fields.get(name);
    const value = body[name] ?? null;
    if (field !== undefined) row[field.name] = stored(field, value === null ? null : (own[name]?.(value) ?? value));
  }
  return row;
}

/** A new object as its row; every row of a resource names the same columns. */
export const newRow = (resource: Resource, id: string, body: Body): Record<string, unknown> => ({
  id,
  ...columnsOf(resource, Object.keys(resource.create?.().shape ?? body), body),
});

/** Inserts one row of the company, columns by name. */
export const insertRow = (resource: Resource, row: Readonly<Record<string, unknown>>): SQL =>
  sql`select app.insert_rows(${resource.tableName}, ${JSON.stringify([row])}::jsonb)`;

/** Gives a row these values (RFC 7396): absent leaves, null clears, an object is merged into the one that is there. */
export function patchRow(resource: Resource, input: WriteInput<Body>): SQL[] {
  const { body } = input;
  const named = Object.keys(body).filter((name) => body[name] !== undefined && resource.fields.has(name));
  if (named.length === 0) return [];
  const values = { ...columnsOf(resource, named, body) };
  const sets = named.flatMap((name) => {
    const field = resource.fields.get(name);
    if (field === undefined) return [];
    const column = sql.identifier(field.name);
    const merged = isObject(body[name]) && resource.stored[name] === undefined;
    // As it was sent: what is null removes a member.
    if (merged) values[field.name] = body[name];
    return [
      merged ? sql`${column} = app.merge_patch(${field.column}, given.${column})` : sql`${column} = given.${column}`,
    ];
  });
  return [
    sql`update ${resource.table} set ${sql.join(sets, sql`, `)}
      from jsonb_populate_record(null::${resource.table}, ${JSON.stringify(values)}::jsonb) given where ${rowOf(resource, input)}`,
  ];
}

/** Assigns to a row. */
export const setRow = (resource: Resource, input: WriteInput<unknown>, assignment: SQL): SQL =>
  sql`update ${resource.table} set ${assignment} where ${rowOf(resource, input)}`;
