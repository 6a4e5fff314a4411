import { type SQL, sql } from 'drizzle-orm';
import { boundary, type Key } from './keyset.ts';
import type { Row } from './log.ts';
import { keyColumns, ofParts, orderAgain, type Walk, walk } from './walk.ts';

/** One filter of a list as a condition. What finds its rows decides how a page in another order is found. */
export type Filter = {
  where: SQL;
  /** The same of a row as the log has it; absent: only the database can tell. */
  holds?: (row: Row) => boolean;
  /** The property of a sort column: its index finds the rows. */
  property?: string;
  /** Properties of sort columns that have an index in which what this asks for stands before them: there it is a condition on the walk. */
  before?: readonly string[];
  /** At most one row has it, which an index finds. */
  single?: true;
  /** `most` of the company's rows that have it, found by an index of its own; in the place of the table. */
  find?: (most: number) => SQL;
  /** An index that holds the rows that have it, in the place of the table. */
  held?: Held;
};

/** Rows as an index holds them, with all that lists are sorted and filtered by, in the order of the sort column `along`, or of none. */
export type Held = { rows: SQL; along: string | null };

/** A walk looks at so many rows per row that it needs before it asks whether there is a shorter way. */
const FAR = 14;
/** Who needs more than this, for a page far down, asks at once. */
const MOST_NEAR = 200;
/** So many rows are sorted rather than met on a walk: as many as a walk among 100,000 would look at for a page, or fewer. */
const FEW = 2000;

/** The rows of a page as a query of `keyColumns`, in order. */
export function narrowed(w: Walk, filters: readonly Filter[], limit: number): SQL {
  if (filters.some(({ single }) => single)) return sorted(w, sql.join(conditions(w, filters), sql` and `), limit);
  const sortedBy = w.keys[0]?.property;
  const held = heldBy(filters);
  if (held !== null && held.along === sortedBy) {
    const where = [...w.where, ...besides(filters, held).map((filter) => filter.where)];
    return walk({ ...w, table: inPlaceOf(w.table, held), where }, limit);
  }
  // These are conditions on the walk's index.
  const along = filters.filter(
    ({ property, before }) => sortedBy !== undefined && (property === sortedBy || before?.includes(sortedBy) === true),
  );
  const others = filters.filter((filter) => !along.includes(filter));
  const way: Walk = { ...w, where: [...w.where, ...along.map(({ where }) => where)] };
  return others.length === 0 ? walk(way, limit) : searched(way, others, limit);
}

/**
 * Filters that are no range of the sort's index. First the walk looks at some rows, which is enough where hits are
 * frequent or rows are few. Else the hits are found by an index of theirs and sorted, if they are few or that index holds
 * all that is asked; else the walk goes on as far as it must. Of columns that the indexes hold, as they do those of all sorts, none of this looks at a row.
 * Conditions without a column are decided before anything is read.
 */
function searched(w: Walk, filters: readonly Filter[], limit: number): SQL {
  const hit = sql.join(
    filters.map(({ where }) => where),
    sql` and `,
  );
  const far = limit > MOST_NEAR ? 0 : limit * FAR;
  const out = sql`order by ${orderAgain(w.keys, w.backwards, sql`r`)} limit ${limit}`;
  const short = sql`(select short from looked)`;
  const near = sql`near as materialized (${walk(w, far, sql`, (${hit}) as hit`)}),
    looked as materialized (select count(*) = ${far} and count(*) filter (where hit) < ${limit} as short from near)`;
  const nearby = sql`select ${names(w.keys)} from near where hit and not ${short}`;
  const held = heldBy(filters);
  if (held !== null) {
    const all = sql.join([...conditions(w, besides(filters, held)), short], sql` and `);
    const rows = sql`select ${keyColumns(w.keys)} from ${inPlaceOf(w.table, held)} where ${all}`;
    return sql`with ${near} select * from (${nearby} union all ${rows}) r ${out}`;
  }
  const on = (gate: SQL): SQL => walk({ ...w, where: [...w.where, hit, gate] }, limit);
  const few = hits(w, filters, short);
  if (few === null) return sql`with ${near} select * from (${nearby} union all (${on(short)})) r ${out}`;
  const areFew = sql`(select are_few from known)`;
  const known = sql`few as materialized (${few}), known as materialized (select count(*) <= ${FEW} as are_few from few)`;
  const rows = sql`select ${names(w.keys)} from few where hit and ${short} and ${areFew}`;
  return sql`with ${near}, ${known} select * from (${nearby} union all ${rows} union all (${on(sql`${short} and not ${areFew}`)})) r ${out}`;
}

/**
 * How the hits of one of the filters are found without the walk, most of them being `FEW` and one; null: not at all.
 * @param gate whether they are to be found at all
 */
function hits(w: Walk, filters: readonly Filter[], gate: SQL): SQL | null {
  const find = filters.find((filter) => filter.find !== undefined)?.find;
  const property = filters.find((filter) => filter.property !== undefined)?.property;
  const found = (from: SQL, where: readonly SQL[]): SQL =>
    sql`select ${keyColumns(w.keys)}, (${sql.join(conditions(w, filters), sql` and `)}) as hit
      from ${from} where ${sql.join([...where, gate], sql` and `)} limit ${FEW + 1}`;
  if (find !== undefined) return found(sql`${find(FEW + 1)} as ${w.table}`, []);
  if (property === undefined) return null;
  const range = filters.filter((filter) => filter.property === property).map(({ where }) => where);
  return found(w.table, [w.company, ...(w.parts === null ? [] : [ofParts(w.parts)]), ...range]);
}

/** What holds the rows of one of the filters, and can tell of all others whether they have it. What finds fewer goes before it. */
export function heldBy(filters: readonly Filter[]): Held | null {
  if (filters.some(({ single, find }) => single || find !== undefined)) return null;
  return filters.find(({ held }) => held !== undefined)?.held ?? null;
}

/** Under the table's name, so that whatever names its columns means these. */
export const inPlaceOf = (table: SQL, { rows }: Held): SQL => sql`${rows} as ${table}`;

/** What is not said by being held there. */
export const besides = (filters: readonly Filter[], own: Held | null): Filter[] =>
  filters.filter(({ held }) => held === undefined || held !== own);

/** All that is known of the rows of a walk. */
function conditions(w: Walk, filters: readonly Filter[]): SQL[] {
  const beyond = w.at === null ? [] : [boundary(w.keys, w.at, w.backwards)];
  const parts = w.parts === null ? [] : [ofParts(w.parts)];
  return [w.company, ...parts, ...w.where, ...filters.map(({ where }) => where), ...beyond];
}

function sorted(w: Walk, where: SQL, limit: number): SQL {
  return sql`select * from (select ${keyColumns(w.keys)} from ${w.table} where ${where} offset 0) r
    order by ${orderAgain(w.keys, w.backwards, sql`r`)} limit ${limit}`;
}

/** The columns of `keyColumns` by name. */
const names = (keys: readonly Key[]): SQL => sql.raw([...keys.slice(1).map((_, i) => `k${i}`), 'id'].join(', '));
