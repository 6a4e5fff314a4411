import { type SQL, sql } from 'drizzle-orm';
import type { FilterDeclaration, FilterValue } from '../core/query-values.ts';
import type { SortColumn } from '../data/keyset.ts';
import type { Filter } from '../data/narrow.ts';
import type { Resource } from './resource.ts';
import type { WriteInput } from './write.ts';

/** The filters that every resource has (contract 2). */
export const documentFilters = {
  createdAfter: { kind: 'instant', description: 'Created after this instant.' },
  createdBefore: { kind: 'instant', description: 'Created before this instant.' },
  updatedAfter: { kind: 'instant', description: 'Changed after this instant: what to ask for to stay in step.' },
  externalId: { kind: 'text', description: 'Has this external id.' },
} as const satisfies Record<string, FilterDeclaration>;

/** The conditions of those filters. */
export function documentConditions(table: SQL, filters: Readonly<Record<string, FilterValue>>): Filter[] {
  const { createdAfter, createdBefore, updatedAfter, externalId } = filters;
  const [created, updated] = [sql`${table}.created_at`, sql`${table}.updated_at`];
  const conditions: Filter[] = [];
  const add = (where: SQL, property: string): void => void conditions.push({ where, property });
  if (createdAfter !== undefined) add(sql`${created} > ${createdAfter}::timestamptz`, 'created_at');
  if (createdBefore !== undefined) add(sql`${created} < ${createdBefore}::timestamptz`, 'created_at');
  if (updatedAfter !== undefined) add(sql`${updated} > ${updatedAfter}::timestamptz`, 'updated_at');
  if (externalId !== undefined) conditions.push({ where: sql`${table}.external_id = ${externalId}`, single: true });
  return conditions;
}

/** The sorts that every resource has; both columns are filled by the database. */
export const documentSorts = (table: SQL) =>
  ({
    createdAt: { column: sql`${table}.created_at`, type: 'timestamptz', nullable: false, property: 'created_at' },
    updatedAt: { column: sql`${table}.updated_at`, type: 'timestamptz', nullable: false, property: 'updated_at' },
  }) satisfies Record<string, SortColumn>;

/** A text column to sort by; `property` is its name in the row. */
export const textSort = (table: SQL, property: string, nullable: boolean): SortColumn => ({
  column: sql`${table}.${sql.identifier(property)}`,
  type: 'text',
  nullable,
  property,
});

/** The row a write is about. */
export const rowOf = (resource: Resource, { companyId, id }: { companyId: string; id: string }): SQL =>
  sql`${resource.companyId} = ${companyId}::uuid and ${resource.id} = ${id}::uuid`;

/** Refuses a write that expects another version, naming the present one and how to expect it (RFC 9110, 13.1.1). */
export const sameVersion = (version: SQL, expected: number | null): SQL =>
  expected === null
    ? sql`true`
    : sql`app.refuse(${version} <> ${expected}::bigint, 'version_mismatch', jsonb_build_object('detail',
        format('The present version is %s. If-Match takes a version in quotes, as in If-Match: "%1$s"; an ETag is none.', ${version})))`;

/** Refuses a write to nothing, and one that expects another version. */
export const expectVersion = (resource: Resource, input: WriteInput<unknown>): SQL =>
  sql`select app.expect_version(max(version), null), ${sameVersion(sql`max(version)`, input.expected)} from ${resource.table} where ${rowOf(resource, input)}`;

/** Assignments of the plain columns that a patch names; absent leaves, null clears (RFC 7396). */
export function assignments(columns: Readonly<Record<string, string>>, body: Readonly<Record<string, unknown>>): SQL[] {
  return Object.entries(columns).flatMap(([field, column]) =>
    body[field] === undefined ? [] : [sql`${sql.identifier(column)} = ${body[field]}`],
  );
}

/** The statements of a patch: the row is there as expected, then its assignments, if any. */
export function patchRow(resource: Resource, input: WriteInput<unknown>, expect: SQL, sets: readonly SQL[]): SQL[] {
  if (sets.length === 0) return [expect];
  return [expect, sql`update ${resource.table} set ${sql.join([...sets], sql`, `)} where ${rowOf(resource, input)}`];
}

/** Inserts one row of the company, columns by name. */
export const insertRow = (table: string, row: Readonly<Record<string, unknown>>): SQL =>
  sql`select app.insert_rows(${table}, ${JSON.stringify([row])}::jsonb)`;
