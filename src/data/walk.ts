import { type SQL, sql } from 'drizzle-orm';
import { bind, boundary, type Key, orderOf, rises } from './keyset.ts';
import type { Row } from './log.ts';

/**
 * A walk along an index. Every sort has an index on company, parting column, sort column and id, all ascending, which is
 * read backwards for the other direction. The rows of a page are merged from the parts that are wanted, and those without
 * a value come after those with one, so that a page reads what it shows however the parts and the nulls are distributed.
 */
export type Walk = {
  /** Unqualified, as the columns name it. */
  table: SQL;
  company: SQL;
  /** The second column of the indexes, and which of its values are wanted. Null: the indexes have none. */
  parts: Parts | null;
  keys: readonly Key[];
  /** Of the row that the page begins after: a value per key. */
  at: readonly unknown[] | null;
  backwards: boolean;
  /** Conditions on every row; those on the first key are index conditions too. */
  where: readonly SQL[];
};
/** `of` is the column of a row as the log has it. */
export type Parts = { column: SQL; values: readonly (string | boolean)[]; of(row: Row): unknown };

/** Rows whose first sort value is there, or is not, in the order in which a page meets them. */
type Stage = { empty: boolean; bound: SQL | null };

/** The columns by which rows of a walk are ordered again, once they are a table named `alias`. */
export function orderAgain(keys: readonly Key[], backwards: boolean, alias: SQL): SQL {
  const own = keys.map((key, i) => orderOf({ ...key, column: sql`${alias}.${nameOf(keys, i)}` }, backwards));
  return sql.join(own, sql`, `);
}

/** Whether one of the parts is the row's. */
export const ofParts = ({ column, values }: Parts): SQL => sql`${column} in ${values}`;

/** The sort columns of a row under the names they have in a walk, the id last. */
export const keyColumns = (keys: readonly Key[]): SQL =>
  sql.join(
    keys.map(({ column }, i) => sql`${column} as ${nameOf(keys, i)}`),
    sql`, `,
  );

/**
 * The first `limit` rows as a query of the columns of `keyColumns` and `more`, in order.
 * @param more further columns; none of them keeps the walk within the index
 */
export function walk(w: Walk, limit: number, more: SQL = sql``): SQL {
  const [first, second] = stagesOf(w);
  const begun = merged(w, first, limit, more);
  if (second === undefined) return begun;
  // Where the first stage fills the page, nothing of the second is read.
  const unfilled = sql`(select count(*) < ${limit} from begun)`;
  const rest = merged({ ...w, where: [...w.where, unfilled] }, second, limit, more);
  return sql`with begun as materialized (${begun}) select * from (${union([sql`select * from begun`, rest])}) s
    order by ${orderAgain(w.keys, w.backwards, sql`s`)} limit ${limit}`;
}

function stagesOf({ keys, at, backwards }: Walk): [Stage, Stage?] {
  const [first] = keys;
  const rest = at === null ? null : placed(keys, at, backwards);
  if (first === undefined || !first.nullable) return [{ empty: false, bound: rest }];
  const there = { empty: false, bound: null };
  const absent = { empty: true, bound: null };
  if (at === null) return backwards ? [absent, there] : [there, absent];
  // The place stands in one of the two; the other lies ahead as a whole, or behind.
  if ((at[0] ?? null) === null)
    return backwards ? [{ empty: true, bound: rest }, there] : [{ empty: true, bound: rest }];
  return backwards ? [{ empty: false, bound: rest }] : [{ empty: false, bound: rest }, absent];
}

/** What lies beyond a place, among the rows that have a first value as it has, or have none as it has none. */
function placed(keys: readonly Key[], at: readonly unknown[], backwards: boolean): SQL {
  const [first, ...others] = keys as [Key, ...Key[]];
  const bound = bind(keys, at);
  const operator = rises(first, backwards) ? sql`>` : sql`<`;
  if ((at[0] ?? null) === null) return boundary(others, at.slice(1), backwards);
  // One row comparison, which the index answers by itself; the id always goes the way of the only other key.
  if (keys.length === 2) return sql`(${first.column}, ${keys[1]?.column}) ${operator} (${bound[0]}, ${bound[1]})`;
  return sql`${first.column} ${operator}= ${bound[0]} and ${boundary(keys, at, backwards)}`;
}

/** One stage, merged from its parts. */
function merged(w: Walk, stage: Stage, limit: number, more: SQL): SQL {
  const { keys, parts } = w;
  const order = (column: (key: Key, i: number) => SQL): SQL =>
    sql.join(
      keys.map((key, i) => alongIndex(w, { ...key, column: column(key, i) }, i)),
      sql`, `,
    );
  const [first] = keys as [Key];
  const own = first.nullable ? [stage.empty ? sql`${first.column} is null` : sql`${first.column} is not null`] : [];
  const part = (value: string | boolean | null): SQL => {
    const wanted = parts === null ? [] : [sql`${parts.column} = ${value}`];
    const where = [w.company, ...wanted, ...own, ...(stage.bound === null ? [] : [stage.bound]), ...w.where];
    return sql`select ${keyColumns(keys)}${more} from ${w.table} where ${sql.join(where, sql` and `)}
      order by ${order(({ column }) => column)} limit ${limit}`;
  };
  if (parts === null) return part(null);
  const [only, ...others] = parts.values;
  if (only !== undefined && others.length === 0) return part(only);
  return sql`select * from (${union(parts.values.map(part))}) p order by ${order((_, i) => sql`p.${nameOf(keys, i)}`)} limit ${limit}`;
}

/** The order of the index for its own columns: within a stage nulls have no place among values. Then that of the contract. */
function alongIndex({ keys, backwards }: Walk, key: Key, i: number): SQL {
  if (i > 0 && keys.length > 2) return orderOf(key, backwards);
  return rises(key, backwards) ? sql`${key.column} asc` : sql`${key.column} desc`;
}

const nameOf = (keys: readonly Key[], i: number): SQL => (i === keys.length - 1 ? sql`id` : sql.raw(`k${i}`));

const union = (queries: readonly SQL[]): SQL =>
  sql.join(
    queries.map((query) => sql`(${query})`),
    sql` union all `,
  );
