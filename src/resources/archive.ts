import { type SQL, sql } from 'drizzle-orm';
import type { Filtered } from '../core/list-query.ts';
import type { FilterDeclaration } from '../core/query-values.ts';
import type { Row } from '../data/log.ts';
import type { Parts } from '../data/walk.ts';
import type { Field } from './fields.ts';

/** How objects of a resource go out of sight and come back. */
export type Archive = {
  /** The filter that shows them, by its name. */
  readonly filter: Readonly<Record<string, FilterDeclaration>>;
  /** The column that parts the rows, the second of the index of every sort, and which of its values are wanted. */
  parts(query: Filtered): Parts;
  /** Absent: its changes have other words. */
  isArchived?(row: Row): boolean;
  /** The same of a row in SQL, behind its name. */
  readonly archivedSql?: string;
  /** Assignments. Bringing back what is not archived leaves it as it is. */
  readonly archive?: () => SQL;
  readonly restore?: () => SQL;
};

/** Made for a resource, of its fields and what many of it are called. */
export type ArchiveOf = (fields: ReadonlyMap<string, Field>, many: string) => Archive;

function fieldOf(fields: ReadonlyMap<string, Field>, name: string): Field {
  const field = fields.get(name);
  if (field === undefined) throw new Error(`no column ${name}`);
  return field;
}

/** By a column of booleans, false for what is archived: `isActive`. */
export const byFlag =
  (flag: string): ArchiveOf =>
  (fields, many) => {
    const field = fieldOf(fields, flag);
    const { name } = field;
    const description = `Archived ${many} are shown only when asked for with \`false\`.`;
    return {
      filter: { [flag]: { kind: 'boolean', description } },
      parts: ({ filters }) => ({ column: field.column, values: [filters[flag] !== false], of: (row) => row[name] }),
      isArchived: (row) => row[name] === false,
      archivedSql: `${name} = false`,
      archive: () => sql`${sql.identifier(name)} = false`,
      restore: () => sql`${sql.identifier(name)} = true`,
    };
  };

/** By a column of states, of which ARCHIVED is one and ACTIVE what restored ones are. */
export const byStatus =
  (status: string): ArchiveOf =>
  (fields, many) => {
    const field = fieldOf(fields, status);
    const { name, values } = field;
    const own = sql.identifier(name);
    const description = `One or several; archived ${many} are shown only when asked for.`;
    const living = values.filter((value) => value !== 'ARCHIVED');
    return {
      filter: { [status]: { kind: 'enumList', values, description } },
      parts: ({ filters }) => {
        const wanted = filters[status];
        return { column: field.column, values: Array.isArray(wanted) ? wanted : living, of: (row) => row[name] };
      },
      isArchived: (row) => row[name] === 'ARCHIVED',
      archivedSql: `${name} = 'ARCHIVED'`,
      archive: () => sql`${own} = 'ARCHIVED'`,
      restore: () => sql`${own} = case when ${own} = 'ARCHIVED' then 'ACTIVE' else ${own} end`,
    };
  };
