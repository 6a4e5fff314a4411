import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type * as z from 'zod';
import { formatId, type Prefix } from '../core/id.ts';
import { lazyMembers } from '../core/lazy.ts';
import type { Filtered, ListQuery } from '../core/list-query.ts';
import type { SortColumn } from '../data/keyset.ts';
import type { Change, Row } from '../data/log.ts';
import type { ConstraintMeaning } from '../data/postgres-errors.ts';
import { plainAction, type Visibility } from '../data/registry.ts';
import type { Output, Schema } from '../http/schemas.ts';
import type { ArchiveOf } from './archive.ts';
import { type Field, fieldsOf, type Reference, type RowOf, shown } from './fields.ts';
import { clockOf, documentConditions, documentFilters, ownConditions, type ResourceFilter, sortBy } from './filters.ts';
import { type ImportParticulars, importerOf } from './import-row.ts';
import type { Include, Resource, SearchFunctions } from './resource.ts';
import { wordSearch } from './search.ts';
import { viewing } from './viewing.ts';

type FieldName<T extends PgTable> = keyof T['_']['columns'] & string;
type Body = Schema<z.ZodObject> | undefined;

/** How fields of such a body become the values of their columns. */
type StoredOf<B extends Body> =
  B extends Schema<z.ZodObject>
    ? { readonly [K in keyof Output<B>]?: (value: Exclude<Output<B>[K], undefined>) => unknown }
    : Readonly<Record<string, never>>;

/** What is particular to a resource. All else follows from its table and its schemas. */
type Declaration<T extends PgTable, Create extends Body, Patch extends Body> = {
  /** As in `changes.entity` and event types: `client`. */
  entity: string;
  prefix: Prefix;
  /** `catalog` for catalog:read and catalog:write, or both. */
  permission: string | { read: string; write: string };
  /** Topic and path; the table's name when absent. */
  topic?: string;
  /** What one and many are called, and the group of the routes; from entity and topic when absent. */
  one?: string;
  many?: string;
  tag?: string;
  /** Bumped when the public shape changes. */
  version?: number;
  view: Schema<z.ZodObject>;
  create?: Create;
  patch?: Patch;
  /** Fields of the view that are no column, or shown otherwise than the column is. */
  computed?: Readonly<Record<string, (row: RowOf<T>) => unknown>>;
  /** Fields of a body whose column holds something else than they say. */
  stored?: StoredOf<Create>;
  /** Columns that are never shown, not even to the log. */
  hidden?: readonly FieldName<T>[];
  references?: { readonly [field in FieldName<T>]?: Reference };
  archive?: ArchiveOf;
  filters?: Readonly<Record<string, ResourceFilter>>;
  /** Besides createdAt and updatedAt. Each has its index. */
  sorts?: readonly FieldName<T>[];
  /** True: by the words of the column `searchText`. */
  search?: true | SearchFunctions;
  /** Which rows a reader sees; every one when absent. */
  visibility?: Visibility;
  includes?: Readonly<Record<string, Include>>;
  /** Words for what happened that say more than created, updated, deleted, archived or restored; the first that is true. */
  actions?: Readonly<Record<string, (before: RowOf<T>, after: RowOf<T>) => boolean>>;
  /** Tags that a change touches besides those of the resource and the object. */
  touches?(change: Change): readonly string[];
  constraints?: Readonly<Record<string, ConstraintMeaning>>;
  /** Rows of files: as its table and patch say, with what is particular. */
  imports?: ImportParticulars;
};

/** With its bodies as they are. */
export type Made<Create extends Body, Patch extends Body> = Omit<Resource, 'create' | 'patch'> &
  (Create extends undefined ? unknown : { readonly create: Create }) &
  (Patch extends undefined ? unknown : { readonly patch: Patch });

/**
 * A resource of a company, from its table, its schemas and what is particular to it. What follows from its columns is worked out
 * when one of it is first asked for: a start makes every resource, and most isolates need a few.
 */
export function tenantResource<T extends PgTable, Create extends Body = undefined, Patch extends Body = undefined>(
  table: T,
  declared: Declaration<T, Create, Patch>,
): Made<Create, Patch> {
  const { entity, prefix, permission, search, imports, filters = {} } = declared;
  const tableName = getTableName(table);
  const topic = declared.topic ?? tableName.replaceAll('_', '-');
  const many = declared.many ?? topic.replaceAll('-', ' ');
  if (declared.visibility !== undefined && typeof search === 'object')
    throw new Error(`${topic}: a search of its own does not ask who sees what`);
  const known = {
    ...{ entity, topic, prefix, one: declared.one ?? entity.replaceAll('-', ' '), many },
    ...{ tag: declared.tag ?? capital(many), version: declared.version ?? 1, tableName },
    permission: typeof permission === 'string' ? `${permission}:read` : permission.read,
    writePermission: typeof permission === 'string' ? `${permission}:write` : permission.write,
    ...{ shown: declared.view, create: declared.create, patch: declared.patch },
    // By the body's own types: what comes here has passed its schema.
    stored: (declared.stored ?? {}) as Resource['stored'],
    tagsTouched: (change: Change) => [topic, `${topic}/${change.entityId}`, ...(declared.touches?.(change) ?? [])],
    validUntil: (query: ListQuery, now: number) => clockOf(filters, query.filters, now),
    listTags: () => [topic],
    detailTags: (id: string) => [`${topic}/${id}`],
    ...(declared.includes !== undefined && { includes: declared.includes }),
    ...(declared.visibility !== undefined && { visibility: declared.visibility }),
  };
  const made = lazyMembers(known, DERIVED, () => derived(table, declared, known));
  const whole = made as unknown as Made<Create, Patch> & Resource;
  const found =
    search === undefined
      ? whole
      : lazyMembers(whole, ['search'], () => ({ search: search === true ? wordSearch(whole) : search }));
  return imports === undefined ? found : lazyMembers(found, ['importer', 'exported'], () => importerOf(found, imports));
}

const DERIVED = [
  ...([
    'table',
    'row',
    'fields',
    'id',
    'companyId',
    'members',
    'view',
    'list',
    'sorts',
    'filters',
    'constraints',
  ] as const),
  ...(['archive', 'parts', 'action', 'actions'] as const),
];

/** What follows from the columns of its table. */
function derived<T extends PgTable, Create extends Body, Patch extends Body>(
  table: T,
  declared: Declaration<T, Create, Patch>,
  { tableName, one, many }: Pick<Resource, 'tableName' | 'one' | 'many'>,
) {
  const {
    prefix,
    view,
    computed = {},
    hidden = Object.hasOwn(getTableColumns(table), 'searchText') ? ['searchText'] : [],
    references = {},
    filters = {},
    sorts = [],
  } = declared;
  const own = fieldsOf(table, references);
  const from = sql.identifier(tableName);
  const archive = declared.archive?.(own, many);
  const document = ['createdAt', 'updatedAt'].filter((name) => own.has(name));
  const sorted = [...document, ...sorts].map((name): [string, SortColumn] => [name, sortBy(known(own, name))]);
  // The column's own types: what the log holds was written by this table.
  const special: Record<string, (row: Row) => unknown> = computed as Record<string, (row: Row) => unknown>;
  const members: Resource['members'] = {
    get(name) {
      if (name === 'id') return (row) => formatId(prefix, String(row.id));
      const field = own.get(name);
      return special[name] ?? (field === undefined ? undefined : shown(field));
    },
  };
  const list = {
    filters: { ...archive?.filter, ...prefixed(own, filters), ...documentFilters(own) },
    sorts: sorted.map(([name]) => name),
    ...(declared.includes !== undefined && { includes: Object.keys(declared.includes) }),
    ...(declared.search !== undefined && { search: true }),
  };
  return {
    ...{ table: sql`${from}`, fields: own },
    row: hidden.reduce((row, name) => sql`${row} - ${sql.raw(`'${known(own, name).name}'`)}`, sql`to_jsonb(${from})`),
    id: known(own, 'id').column,
    companyId: (own.get('companyId') ?? known(own, 'id')).column,
    members,
    ...actionsOf(declared.actions ?? {}, archive?.isArchived),
    ...viewing({ members, list }, view),
    sorts: Object.fromEntries(sorted),
    filters: (query: Filtered) => [
      ...ownConditions(own, filters, query.filters),
      ...documentConditions(own, query.filters),
    ],
    // In this order they are told, and what is declared counts.
    constraints: { ...declared.constraints, ...usual(tableName, one, own), ...declared.constraints },
    ...{ archive, parts: archive?.parts },
  };
}

function known(fields: ReadonlyMap<string, Field>, name: string): Field {
  const field = fields.get(name);
  if (field === undefined) throw new Error(`${name} is no column`);
  return field;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Ids of a filter are of the kind that its column refers to. */
const prefixed = (fields: ReadonlyMap<string, Field>, filters: Readonly<Record<string, ResourceFilter>>) =>
  Object.fromEntries(
    Object.entries(filters).map(([name, filter]) => {
      const { prefix } = fields.get(name)?.reference ?? {};
      return [name, prefix === undefined ? filter : { prefix, ...filter }];
    }),
  );

/** What happened, in one word. */
function actionsOf<R>(
  own: Readonly<Record<string, (before: R, after: R) => boolean>>,
  isArchived?: (row: Row) => boolean,
) {
  const words = Object.entries(own) as [string, (before: Row, after: Row) => boolean][];
  return {
    action(change: Change): string {
      const { before, after } = change;
      if (before === null || after === null) return plainAction(change);
      const word = words.find(([, happened]) => happened(before, after))?.[0];
      if (word !== undefined) return word;
      if (isArchived === undefined || isArchived(before) === isArchived(after)) return 'updated';
      return isArchived(after) ? 'archived' : 'restored';
    },
    actions: [...(isArchived === undefined ? [] : ['archived', 'restored']), ...words.map(([word]) => word)],
  };
}

/** What the constraints mean that tables have by convention: `<table>_external_id`, and `<table>_branch` of `branch_id`. */
function usual(tableName: string, one: string, fields: ReadonlyMap<string, Field>): Record<string, ConstraintMeaning> {
  const found: Record<string, ConstraintMeaning> = {};
  if (fields.has('externalId') && fields.has('companyId')) {
    const detail = `Another ${one} has this external id.`;
    found[`${tableName}_external_id`] = { code: 'external_id_taken', pointer: '/externalId', detail };
  }
  for (const [field, { name, reference }] of fields) {
    if (reference === null) continue;
    const detail = `There is no such ${before('Id', field)}.`;
    found[`${tableName}_${before('_id', name)}`] = { code: 'unknown_reference', pointer: `/${field}`, detail };
  }
  return found;
}

/** What a reference is of: `branch` of `branchId` and of `branch_ids`. A start asks of each, so by no expression, which V8 would compile. */
function before(end: 'Id' | '_id', name: string): string {
  const at = name.lastIndexOf(end);
  return at < 0 ? name : name.slice(0, at);
}
