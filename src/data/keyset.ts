import { type SQL, sql } from 'drizzle-orm';
import type { Cursor } from '../core/cursor.ts';
import { isUuid } from '../core/id.ts';
import { isDate } from '../core/instant.ts';
import type { SortKey } from '../core/list-query.ts';

/** A column that lists may be sorted by. `type` casts a cursor's value; `nullable` columns sort nulls last. */
export type SortColumn = {
  column: SQL;
  type: 'timestamptz' | 'date' | 'text' | 'uuid' | 'bigint' | 'real';
  nullable: boolean;
  property: string;
};

const held: Readonly<Record<SortColumn['type'], (value: unknown) => boolean>> = {
  timestamptz: (value) => typeof value === 'string' && /^[0-9]{4}-/.test(value) && !Number.isNaN(Date.parse(value)),
  date: (value) => typeof value === 'string' && isDate(value),
  text: (value) => typeof value === 'string',
  uuid: isUuid,
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
  return isUuid(id) && values.length === sort.length && sort.every(fits);
}

/** One column of an order. */
export type Key = SortColumn & { descending: boolean };

/** The columns of an order, the id last, so that it is total. The id goes the way of the column before it. */
export function keysOf(sorts: Readonly<Record<string, SortColumn>>, sort: readonly SortKey[], id: SQL): Key[] {
  const keys: Key[] = sort.flatMap(({ field, descending }) => {
    const column = sorts[field];
    return column === undefined ? [] : [{ ...column, descending }];
  });
  const descending = keys.at(-1)?.descending ?? false;
  keys.push({ column: id, type: 'uuid', nullable: false, property: 'id', descending });
  return keys;
}

/** The order of the contract, nulls last; backwards pages are read in reverse and turned round by the caller. */
export function orderOf({ column, descending }: Key, backwards: boolean): SQL {
  if (backwards) return descending ? sql`${column} asc nulls first` : sql`${column} desc nulls first`;
  return descending ? sql`${column} desc nulls last` : sql`${column} asc nulls last`;
}

/** Whether the values of this key rise along a page. */
export const rises = ({ descending }: Key, backwards: boolean): boolean => descending === backwards;

/** A cursor's values as the columns compare them. */
export const bind = (keys: readonly Key[], values: readonly unknown[]): SQL[] =>
  keys.map((key, i) => sql`${values[i] ?? null}::${sql.raw(key.type)}`);

/** Rows strictly after the place, in whatever mixture of directions and nulls. No index answers it. */
export function boundary(keys: readonly Key[], values: readonly unknown[], backwards: boolean): SQL {
  const bound = bind(keys, values);
  const branches = keys.map((key, i) => {
    const equal = keys.slice(0, i).map((earlier, j) => sql`${earlier.column} is not distinct from ${bound[j]}`);
    return sql`(${sql.join([...equal, beyond(key, values[i] ?? null, bound[i] as SQL, backwards)], sql` and `)})`;
  });
  return sql`(${sql.join(branches, sql` or `)})`;
}

/** Rows strictly after the value in this direction, nulls being last. */
function beyond(key: Key, value: unknown, bound: SQL, backwards: boolean): SQL {
  if (value === null) return backwards ? sql`${key.column} is not null` : sql`false`;
  const strict = sql`${key.column} ${rises(key, backwards) ? sql`>` : sql`<`} ${bound}`;
  return key.nullable && !backwards ? sql`(${strict} or ${key.column} is null)` : strict;
}
