import type { Fault } from './errors.ts';
import {
  type FilterDeclaration,
  type FilterValue,
  fault,
  listItems,
  parseFilter,
  parseSearch,
  queryRefusal,
} from './query-values.ts';

export type { FilterDeclaration, FilterKind } from './query-values.ts';

/** What a list can be asked: the source of its parser and of its OpenAPI parameters. `defaultSort` is '-createdAt'. */
export type ListDeclaration = {
  filters: Record<string, FilterDeclaration>;
  sorts: readonly string[];
  fields: readonly string[];
  includes?: readonly string[];
  search?: boolean;
  defaultSort?: string;
};
export type SortKey = { field: string; descending: boolean };
export type ListQuery = {
  mode: 'page' | 'cursor';
  page: number;
  limit: number;
  cursor: string | null;
  count: 'exact' | 'estimated' | 'none';
  sort: readonly SortKey[];
  /** False: the caller named no sort, so a search sorts by rank. */
  explicitSort: boolean;
  /** Sorted, without repeats, always with id; null means all. */
  fields: readonly string[] | null;
  include: readonly string[];
  search: string | null;
  filters: Readonly<Record<string, FilterValue>>;
  /** A query string that every query with the same answer shares, whatever its order, case of spelling or defaults. */
  normalised: string;
  /** The part of it that a cursor is bound to: filters, search and sort. */
  filterKey: string;
};
/** What of a list's query says which rows are wanted. */
export type Filtered = Pick<ListQuery, 'filters'>;
export type DetailDeclaration = { fields: readonly string[]; includes?: readonly string[] };

type Pairs = [name: string, text: string][];

const MAX_FAULTS = 50;
const MAX_PAGED_ROWS = 10_000;
const DEFAULT_LIMIT = 20;
const DEFAULT_SORT = '-createdAt';
const COUNTS = ['exact', 'estimated', 'none'] as const;

/** The parameter names per declaration, which are constants: as many entries as there are routes. */
const known = new WeakMap<object, ReadonlySet<string>>();

/**
 * The query of a list (contract.md 2 "Lists", details A9 and A10). Reports every fault at once as one AppError, 400
 * `invalid_parameter`, or `unknown_parameter` or `use_cursor` when that is the only kind of fault.
 */
export function parseListQuery(declaration: ListDeclaration, params: URLSearchParams): ListQuery {
  const faults: Fault[] = [];
  const given = collect(params, listParameters(declaration), faults);
  const { filters, search, pairs } = parseFilters(declaration, given, faults);
  const { sort, explicitSort } = parseSort(declaration, given, faults);
  // Counting all that a search finds costs what finding it all would.
  const usual = given.has('cursor') ? 'none' : search === null ? 'exact' : 'estimated';
  const { mode, page, limit, cursor, count } = parseRange(given, usual, faults);
  const fields = parseFields(declaration.fields, given, faults);
  const include = parseInclude(declaration.includes, given, faults);
  refuse(faults);

  const sortText = sort.map((key) => (key.descending ? `-${key.field}` : key.field)).join();
  const shown = [...pairs];
  // A search sorts by rank unless told otherwise, so beside it even the default sort changes the answer when named.
  const sortMatters = search !== null || sortText !== (declaration.defaultSort ?? DEFAULT_SORT);
  if (explicitSort && sortMatters) shown.push(['sort', sortText]);
  if (page !== 1) shown.push(['page', String(page)]);
  if (limit !== DEFAULT_LIMIT) shown.push(['limit', String(limit)]);
  if (cursor !== null) shown.push(['cursor', cursor]);
  if (count !== usual) shown.push(['count', count]);
  pushShape(shown, fields, include);
  const normalised = canonical(shown);
  // Spelled out even when it is the default: a deployment that changes the default must not reinterpret old cursors.
  const filterKey = canonical([...pairs, ['sort', search !== null && !explicitSort ? 'rank' : sortText]]);
  return {
    ...{ mode, page, limit, cursor, count, sort, explicitSort, fields, include, search, filters },
    ...{ normalised, filterKey },
  };
}

/** The query of a single object: `fields` and `include` only; errors as for lists. */
export function parseDetailQuery(
  d: DetailDeclaration,
  params: URLSearchParams,
): { fields: readonly string[] | null; include: readonly string[]; normalised: string } {
  const faults: Fault[] = [];
  const given = collect(params, detailParameters(d), faults);
  const fields = parseFields(d.fields, given, faults);
  const include = parseInclude(d.includes, given, faults);
  refuse(faults);
  const shown: Pairs = [];
  pushShape(shown, fields, include);
  return { fields, include, normalised: canonical(shown) };
}

function listParameters(d: ListDeclaration): ReadonlySet<string> {
  const names = known.get(d) ?? new Set(['page', 'limit', 'cursor', 'count', 'sort', 'order', 'fields']);
  if (known.has(d)) return names;
  for (const name of [d.includes?.length && 'include', d.search && 'search', ...Object.keys(d.filters)]) {
    if (name) (names as Set<string>).add(name);
  }
  known.set(d, names);
  return names;
}

function detailParameters(d: DetailDeclaration): ReadonlySet<string> {
  return d.includes?.length ? new Set(['fields', 'include']) : new Set(['fields']);
}

function collect(params: URLSearchParams, allowed: ReadonlySet<string>, faults: Fault[]): Map<string, string> {
  const given = new Map<string, string>();
  const refused = new Set<string>();
  for (const [name, text] of params) {
    if (!refused.has(name) && (given.has(name) || !allowed.has(name))) {
      refused.add(name);
      faults.push(
        allowed.has(name)
          ? fault(name, 'duplicate_parameter', 'Must be given once; lists are separated by commas.')
          : fault(name, 'unknown_parameter', `Unknown parameter. Allowed: ${[...allowed].join(', ')}.`),
      );
      // A query of a thousand faults gets the first fifty: the answer must not dwarf the request.
      if (faults.length >= MAX_FAULTS) refuse(faults);
    } else if (!refused.has(name)) given.set(name, text);
  }
  return given;
}

function refuse(faults: Fault[]): void {
  if (faults.length > 0) throw queryRefusal(faults);
}

function parseFilters(d: ListDeclaration, given: Map<string, string>, faults: Fault[]) {
  const filters: Record<string, FilterValue> = {};
  const pairs: Pairs = [];
  let search: string | null = null;
  for (const [name, text] of given) {
    const filter = d.filters[name];
    if (filter === undefined && name !== 'search') continue;
    const parsed = filter === undefined ? parseSearch(text) : parseFilter(name, filter, text);
    if ('fault' in parsed) {
      faults.push(parsed.fault);
      continue;
    }
    if (filter === undefined) search = parsed.canonical;
    else filters[name] = parsed.value;
    pairs.push([name, parsed.canonical]);
  }
  return { filters, search, pairs };
}

function parseSort(d: ListDeclaration, given: Map<string, string>, faults: Fault[]) {
  const order = given.get('order');
  const text = given.get('sort');
  const keys = (text ?? d.defaultSort ?? DEFAULT_SORT).split(',').map(sortKey);
  if (order !== undefined) {
    if (order !== 'asc' && order !== 'desc') faults.push(fault('order', 'invalid_value', 'Must be asc or desc.'));
    if (text === undefined || keys.length > 1 || text.startsWith('-')) {
      faults.push(
        fault('order', 'conflict', 'Goes with one plain sort field only, such as sort=createdAt&order=desc.'),
      );
    }
  }
  if (text === undefined) return { sort: keys, explicitSort: false };
  if (!keys.every((key) => d.sorts.includes(key.field))) {
    faults.push(fault('sort', 'unknown_value', `Must be some of ${d.sorts.join(', ')}, each with or without a minus.`));
  } else if (new Set(keys.map((key) => key.field)).size < keys.length) {
    faults.push(fault('sort', 'duplicate_value', 'Names a field twice.'));
  }
  const sort = order === 'desc' ? keys.map(({ field }) => ({ field, descending: true })) : keys;
  return { sort, explicitSort: true };
}

function sortKey(text: string): SortKey {
  return text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false };
}

function parseRange(given: Map<string, string>, usual: ListQuery['count'], faults: Fault[]) {
  const cursor = given.get('cursor') ?? null;
  const mode: ListQuery['mode'] = cursor === null ? 'page' : 'cursor';
  const limit = positive(given.get('limit'), DEFAULT_LIMIT);
  const page = positive(given.get('page'), 1);
  const count = given.get('count') ?? usual;
  const limitValid = limit >= 1 && limit <= 100;
  if (!limitValid) faults.push(fault('limit', 'out_of_range', 'Must be a whole number from 1 to 100.'));
  if (given.has('page') && cursor !== null) faults.push(fault('page', 'conflict', 'Give either page or cursor.'));
  if (Number.isNaN(page)) faults.push(fault('page', 'out_of_range', 'Must be a whole number from 1.'));
  else if (limitValid && page * limit > MAX_PAGED_ROWS) {
    faults.push(fault('page', 'use_cursor', 'page × limit may be at most 10000; walk further with cursor.'));
  }
  if (!isCount(count)) faults.push(fault('count', 'unknown_value', `Must be one of ${COUNTS.join(', ')}.`));
  return { mode, page, limit, cursor, count: isCount(count) ? count : 'none' } as const;
}

function isCount(text: string): text is ListQuery['count'] {
  return (COUNTS as readonly string[]).includes(text);
}

/** Plain digits without leading zeros: `1e1`, `+5`, `0x10` and ` 5` are numbers to JavaScript, not to the contract. */
function positive(text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN;
}

function parseFields(valid: readonly string[], given: Map<string, string>, faults: Fault[]): string[] | null {
  const text = given.get('fields');
  if (text === undefined) return null;
  const items = listItems(text);
  if (!items.every((item) => item === 'id' || valid.includes(item))) {
    const names = valid.includes('id') ? valid : ['id', ...valid];
    faults.push(fault('fields', 'unknown_value', `Must be some of ${names.join(', ')}.`));
  }
  return items.includes('id') ? items : [...items, 'id'].sort();
}

function parseInclude(valid: readonly string[] = [], given: Map<string, string>, faults: Fault[]): string[] {
  const text = given.get('include');
  if (text === undefined) return [];
  const items = listItems(text);
  if (items.every((item) => valid.includes(item))) return items;
  faults.push(fault('include', 'unknown_value', `Must be some of ${valid.join(', ')}.`));
  return [];
}

function pushShape(pairs: Pairs, fields: readonly string[] | null, include: readonly string[]): void {
  if (fields !== null) pairs.push(['fields', fields.join()]);
  if (include.length > 0) pairs.push(['include', include.join()]);
}

/** A query string with its parameters in order, so that one meaning has one text; parsing it again gives it again. */
function canonical(pairs: Pairs): string {
  if (pairs.length > 1) pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join('&');
}
