import { type SQL, sql } from 'drizzle-orm';
import type { Cursor } from '../core/cursor.ts';
import type { SortKey } from '../core/list-query.ts';

/** A column that lists may be sorted by. `type` casts a cursor's value; `nullable` columns sort nulls last. */
export type SortColumn = {
  column: SQL;
  type: 'timestamptz' | 'text' | 'uuid' | 'bigint' | 'real';
  nullable: boolean;
  property: string;
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const held: Readonly<Record<SortColumn['type'], (value: unknown) => boolean>> = {
  timestamptz: (value) => typeof value === 'string' && /^[0-9]{4}-/.test(value) && !Number.isNaN(Date.parse(value)),
  text: (value) => typeof value === 'string',
  uuid: (value) => typeof value === 'string' && UUID.test(value),
  bigint: (value) => Number.isSafeInteger(value),
  real: (value) => Number.isFinite(value),
};

/**
 * Whether a place is one that these sorts can begin at. It was signed, but perhaps by a version that had other sorts: then
 * the caller is told, and not Postgres.
 */
export function canBegin(
  sorts: Readonly<Record<string, SortColumn>>,
  sort: readonly SortKey[],
  { id, values }: Cursor,
): boolean {
  const fits = ({ field }: SortKey, i: number): boolean => {
    const column = sorts[field];
    if (column === undefined) return false;
    const value = values[i] ?? null;
    return value === null ? column.nullable : held[column.type](value);
  };
  return UUID.test(id) && values.length === sort.length && sort.every(fits);
}

type Key = SortColumn & { descending: boolean };

/**
 * Order and boundary of one page of a keyset walk. Every order ends in the id, so that it is total; backwards pages are
 * read in reverse and turned round by the caller.
 */
export function keyset(
  sorts: Readonly<Record<string, SortColumn>>,
  sort: readonly SortKey[],
  id: SQL,
  cursor: Cursor | null,
): { where: SQL | null; order: SQL } {
  const keys: Key[] = sort.flatMap(({ field, descending }) => {
    const column = sorts[field];
    return column === undefined ? [] : [{ ...column, descending }];
  });
  // The id follows the direction of the last key, which is the direction of the index.
  keys.push({
    column: id,
    type: 'uuid',
    nullable: false,
    property: 'id',
    descending: keys.at(-1)?.descending ?? false,
  });
  const backwards = cursor?.direction === 'prev';
  const order = sql.join(
    keys.map((key) => orderOf(key, backwards)),
    sql`, `,
  );
  return { where: cursor === null ? null : boundary(keys, [...cursor.values, cursor.id], backwards), order };
}

function orderOf({ column, descending }: Key, backwards: boolean): SQL {
  // Spelled out in both directions: an index declared DESC NULLS LAST serves no other order.
  if (backwards) return descending ? sql`${column} asc nulls first` : sql`${column} desc nulls first`;
  return descending ? sql`${column} desc nulls last` : sql`${column} asc nulls last`;
}

function boundary(keys: readonly Key[], values: readonly unknown[], backwards: boolean): SQL {
  const bound = keys.map((key, i) => sql`${values[i] ?? null}::${sql.raw(key.type)}`);
  const [first] = keys;
  const uniform = keys.every((key) => !key.nullable && key.descending === first?.descending);
  if (uniform) {
    // One row comparison, which the index answers by itself.
    const columns = sql.join(
      keys.map((key) => key.column),
      sql`, `,
    );
    const operator = first?.descending === backwards ? sql`>` : sql`<`;
    return sql`(${columns}) ${operator} (${sql.join(bound, sql`, `)})`;
  }
  const branches = keys.map((key, i) => {
    const equal = keys.slice(0, i).map((earlier, j) => sql`${earlier.column} is not distinct from ${bound[j]}`);
    return sql.join([...equal, beyond(key, values[i] ?? null, bound[i] as SQL, backwards)], sql` and `);
  });
  return sql`(${sql.join(
    branches.map((branch) => sql`(${branch})`),
    sql` or `,
  )})`;
}

/** Rows strictly after the value in this direction, nulls being last. */
function beyond(key: Key, value: unknown, bound: SQL, backwards: boolean): SQL {
  if (value === null) return backwards ? sql`${key.column} is not null` : sql`false`;
  const operator = key.descending === backwards ? sql`>` : sql`<`;
  const strict = sql`${key.column} ${operator} ${bound}`;
  return key.nullable && !backwards ? sql`(${strict} or ${key.column} is null)` : strict;
}
