import { type SQL, sql } from 'drizzle-orm';
import { uuidOf } from '../core/id.ts';
import type { AppContext } from '../http/context.ts';
import type { Resource } from './resource.ts';
import { type Owner, ownRows } from './row-sql.ts';

/** Whose objects these are: what comes before them in the path, `/staff/:id/time-off`, and their field that refers to it. */
export type Parent = { readonly of: Resource; readonly field: string };

/** The parent that the path names, or nobody. */
export const parentIdOf = (c: AppContext, { of }: Parent): string => uuidOf(of.prefix, c.req.param('id') ?? '');

/** What their own id is called in a path, behind their parent's. */
export const paramOf = ({ prefix }: Resource): string => `${prefix}Id`;

const fieldOf = ({ fields, topic }: Resource, { field }: Parent) => {
  const found = fields.get(field);
  if (found === undefined) throw new Error(`${topic} has no ${field}`);
  return found;
};

/** How a new one's row says whose it is. */
export const belonging = (resource: Resource, parent: Parent, id: string): Record<string, string> => ({
  [fieldOf(resource, parent).name]: id,
});

/** As a list of one parent's reads it: by the indexes that begin with the field. */
export const partedBy = (resource: Resource, parent: Parent, id: string): Resource => {
  const { column, name } = fieldOf(resource, parent);
  return { ...resource, parts: () => ({ column, values: [id], of: (row) => row[name] }) };
};

/** As a write to one parent's sees it: those of others are not there. */
export const narrowedTo = (resource: Resource, parent: Parent, id: string): Resource => {
  const { column, name } = fieldOf(resource, parent);
  const { visibility } = resource;
  const own = sql`${column} = ${id}::uuid`;
  return {
    ...resource,
    visibility: {
      scope: (viewer) => visibility?.scope(viewer) ?? '',
      where: (viewer) => (visibility === undefined ? own : sql`${own} and ${visibility.where(viewer)}`),
      sees: (viewer, row) => row[name] === id && (visibility?.sees(viewer, row) ?? true),
    },
  };
};

/** Whether the company has this parent: a row, or none. */
export const parentThere = ({ of }: Parent, owner: Owner, id: string): SQL<{ total: number }> =>
  sql`select 1 as total from ${of.table} where ${ownRows(of, owner)} and ${of.id} = ${id}::uuid`;
