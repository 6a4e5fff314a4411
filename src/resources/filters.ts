import { type SQL, sql } from 'drizzle-orm';
import { NOBODY } from '../core/id.ts';
import { type ListDeclaration, type ListQuery, parseListQuery } from '../core/list-query.ts';
import type { FilterDeclaration, FilterValue } from '../core/query-values.ts';
import type { SortColumn } from '../data/keyset.ts';
import type { Row } from '../data/log.ts';
import type { Filter } from '../data/narrow.ts';
import type { Field } from './fields.ts';

/** A filter of a list. Without a condition of its own it asks for the value of the column of its name. */
export type ResourceFilter = FilterDeclaration & {
  condition?(value: FilterValue): Filter;
  /** When the clock alone may next change what it lets through, ms; absent: never. */
  changesAt?(now: number): number;
};

type Fields = ReadonlyMap<string, Field>;
type Values = Readonly<Record<string, FilterValue>>;

/** What a list is asked for, with the uuid of nobody where the id of a filter is none. */
export function askedOf(declaration: ListDeclaration, params: URLSearchParams): ListQuery {
  const query = parseListQuery(declaration, params);
  const filters = Object.entries(query.filters).map(([name, value]): [string, FilterValue] => {
    const kind = declaration.filters[name]?.kind;
    if (kind === 'idList' && Array.isArray(value)) return [name, value.map(orNobody)];
    return [name, kind === 'id' ? orNobody(String(value)) : value];
  });
  return { ...query, filters: Object.fromEntries(filters) };
}

/** Of a malformed id, or one of another kind, the parser says so. */
const orNobody = (uuid: string): string => (uuid === 'none' ? NOBODY : uuid);

/** The filters that every resource has (contract 2). */
const DOCUMENT = {
  createdAfter: { kind: 'instant', description: 'Created after this instant.' },
  createdBefore: { kind: 'instant', description: 'Created before this instant.' },
  updatedAfter: { kind: 'instant', description: 'Changed after this instant: what to ask for to stay in step.' },
  externalId: { kind: 'text', description: 'Has this external id.' },
} as const satisfies Record<string, FilterDeclaration>;

/** Those of them that the table has columns for. */
export const documentFilters = (fields: Fields): Record<string, FilterDeclaration> => {
  const { createdAfter, createdBefore, updatedAfter, externalId } = DOCUMENT;
  return {
    ...(fields.has('createdAt') && { createdAfter, createdBefore }),
    ...(fields.has('updatedAt') && { updatedAfter }),
    ...(fields.has('externalId') && { externalId }),
  };
};

/** The conditions of those filters. */
export function documentConditions(fields: Fields, filters: Values): Filter[] {
  const { createdAfter, createdBefore, updatedAfter, externalId } = filters;
  const [created, updated] = [fields.get('createdAt')?.column, fields.get('updatedAt')?.column];
  return [
    ...(createdAfter === undefined
      ? []
      : [
          {
            where: sql`${created} > ${createdAfter}::timestamptz`,
            holds: (row: Row) => time(row.created_at) > time(createdAfter),
            property: 'created_at',
          },
        ]),
    ...(createdBefore === undefined
      ? []
      : [
          {
            where: sql`${created} < ${createdBefore}::timestamptz`,
            holds: (row: Row) => time(row.created_at) < time(createdBefore),
            property: 'created_at',
          },
        ]),
    ...(updatedAfter === undefined
      ? []
      : [
          {
            where: sql`${updated} > ${updatedAfter}::timestamptz`,
            holds: (row: Row) => time(row.updated_at) > time(updatedAfter),
            property: 'updated_at',
          },
        ]),
    ...(externalId === undefined
      ? []
      : [
          {
            where: sql`${fields.get('externalId')?.column} = ${externalId}`,
            holds: (row: Row) => row.external_id === externalId,
            single: true as const,
          },
        ]),
  ];
}

const time = (instant: unknown): number => Date.parse(String(instant));

/** The conditions of a resource's own filters. */
export function ownConditions(
  fields: Fields,
  declared: Readonly<Record<string, ResourceFilter>>,
  filters: Values,
): Filter[] {
  return Object.entries(declared).flatMap(([name, filter]) => {
    const value = filters[name];
    if (value === undefined) return [];
    return [filter.condition?.(value) ?? equals(fields, name, value)];
  });
}

/** When the clock alone may next change which rows the filters let through. */
export function clockOf(
  declared: Readonly<Record<string, ResourceFilter>>,
  filters: Values,
  now: number,
): number | null {
  const ends = Object.entries(declared).flatMap(([name, { changesAt }]) =>
    filters[name] === undefined || changesAt === undefined ? [] : [changesAt(now)],
  );
  return ends.length === 0 ? null : Math.min(...ends);
}

/** The filters `from` and `to` of a column of days, half-open; `sorted`: a list may be sorted by it. */
export function daysBetween(
  { column, name, sorted = false }: { column: SQL; name: string; sorted?: boolean },
  says: { from: string; to: string },
) {
  const more = sorted ? { property: name } : {};
  const dayOf = (row: Row): string | null => (typeof row[name] === 'string' ? row[name] : null);
  return {
    from: {
      kind: 'date',
      description: says.from,
      condition: (day) => ({
        where: sql`${column} >= ${day}::date`,
        holds: (row) => (dayOf(row) ?? '') >= String(day),
        ...more,
      }),
    },
    to: {
      kind: 'date',
      description: says.to,
      condition: (day) => ({
        where: sql`${column} < ${day}::date`,
        holds: (row) => (dayOf(row) ?? '~') < String(day),
        ...more,
      }),
    },
  } as const satisfies Record<string, ResourceFilter>;
}

/** The next quarter of an hour: whatever its zone, a branch's day begins at one. */
export const nextQuarter = (now: number): number => (Math.floor(now / 900_000) + 1) * 900_000;

function equals(fields: Fields, name: string, value: FilterValue): Filter {
  const field = fields.get(name);
  if (field === undefined) throw new Error(`the filter ${name} names no column and has no condition`);
  const { column, type } = field;
  const own = field.name;
  const wanted: readonly unknown[] = Array.isArray(value) ? value : [value];
  const holds = (row: Row): boolean => wanted.includes(row[own]);
  if (type !== 'uuid')
    return { where: Array.isArray(value) ? sql`${column} in ${value}` : sql`${column} = ${value}`, holds };
  const ids = wanted.map((id) => sql`${id}::uuid`);
  return { where: sql`${column} in (${sql.join(ids, sql`, `)})`, holds };
}

const SORT_TYPES: Readonly<Partial<Record<Field['type'], SortColumn['type']>>> = {
  text: 'text',
  instant: 'timestamptz',
  date: 'date',
  number: 'bigint',
  uuid: 'uuid',
};

/** A column to sort by. What it is, is worked out when a list asks. */
export const sortBy = (field: Field): SortColumn => ({
  property: field.name,
  get column() {
    return field.column;
  },
  get type() {
    return SORT_TYPES[field.type] ?? 'text';
  },
  get nullable() {
    return field.nullable;
  },
});
