import { type SQL, sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  type ExtraConfigColumn,
  foreignKey,
  index,
  integer,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

/** An instant kept to the millisecond, so that what an answer shows is exactly what a filter compares. */
export const instant = <const N extends string>(name: N) =>
  timestamp(name, { precision: 3, withTimezone: true, mode: 'string' });

/** The key of every tenant row. Company first: it leads every index and every composite foreign key. */
export const tenantKey = () => ({ companyId: uuid('company_id').notNull(), id: uuid('id').primaryKey() });

/** Kept by the `touch` trigger, never by the application (migrations/*_log.sql). */
export const documentColumns = () => ({
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
  updatedAt: instant('updated_at').notNull().default(sql`clock_timestamp()`),
});

/** What a search compares: these columns, folded, with a space at both ends, so that "begins a word" is a plain pattern. */
export const searchText = (...columns: readonly string[]) =>
  text('search_text').generatedAlwaysAs((): SQL => {
    const words = columns.map((column) => `coalesce(${column}, '') || ' '`).join(' || ');
    return sql.raw(`app.search_fold(' ' || ${words})`);
  });

type Columns = Readonly<Record<'companyId' | 'id' | 'externalId' | 'createdAt' | 'updatedAt', ExtraConfigColumn>> & {
  readonly searchText?: ExtraConfigColumn;
};

/**
 * The keys and indexes of every resource: one index per sort, on what parts the rows, then the sort and the id, ascending
 * (src/data/walk.ts). `part` is the column that says whether a row is archived. With `filters`, the columns that the list's own
 * filters ask for, each index also holds those and the other sorts, so that rows are decided on without a look at them; of tables
 * from before that, 0028 and 0067 say it in SQL.
 */
export const tenantIndexes = (
  t: Columns,
  {
    table,
    part,
    sorts,
    filters,
  }: {
    table: string;
    part: ExtraConfigColumn;
    sorts: Readonly<Record<string, ExtraConfigColumn>>;
    filters?: readonly ExtraConfigColumn[];
  },
) => {
  const walked = Object.entries({ created: t.createdAt, updated: t.updatedAt, ...sorts });
  const held = filters === undefined ? [] : [...walked.map(([, column]) => column), ...filters];
  return [
    unique(`${table}_company_id`).on(t.companyId, t.id),
    unique(`${table}_external_id`).on(t.companyId, t.externalId),
    ...walked.map(([name, column]) =>
      index(`${table}_${name}`).on(t.companyId, part, column, t.id, ...held.filter((other) => other !== column)),
    ),
    ...(t.searchText === undefined
      ? []
      : [index(`${table}_search`).using('gin', t.companyId, t.searchText.op('gin_trgm_ops'))]),
  ];
};

type Pair = [AnyPgColumn, AnyPgColumn];

/** A reference to another object of the company: composite, because keys are checked past row-level security. */
export const tenantReference = (name: string, columns: Pair, of: { companyId: AnyPgColumn; id: AnyPgColumn }) =>
  foreignKey({ name, columns, foreignColumns: [of.companyId, of.id] });
