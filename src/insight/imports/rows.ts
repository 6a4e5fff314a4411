import { AppError, type Fault } from '../../core/errors.ts';
import { isObject, pointer } from '../../core/json.ts';
import { validate } from '../../http/body.ts';
import { unneutral } from '../../http/csv.ts';
import { type Cell, type Importer, keyText, type MatchKey } from '../../resources/importer.ts';
import type { Place } from '../../resources/place.ts';
import { type Column, type Mapping, mapped, readHeader } from './header.ts';

export type Format = 'csv' | 'ndjson';

/** A row as the file had it: the cells of CSV, the line of NDJSON, or why it was not kept. */
export type RawRow = string | string[] | { fault: 'row_too_large' | 'malformed_row' };

/** What a row says, checked; or everything that is wrong with it. `key` is what it is matched by, null when it has none. */
export type ReadRow = { key: string | null; value: unknown; faults: Fault[] };

/** How the rows of one file are read: the columns of CSV (null: NDJSON), what they mean, and what rows are matched by. */
export type FileForm = { header: readonly string[] | null; mapping: Mapping; match: MatchKey };

/** A row may have more faults than anybody reads: an object of ten thousand unknown fields. */
const MOST_FAULTS = 50;
const LONGEST_POINTER = 200;

const UNREADABLE = {
  row_too_large: 'The row is too large.',
  malformed_row:
    'A quote stands where none may be: a cell with quotes, commas or line ends is quoted, its quotes doubled.',
} as const;

/** Reads the rows of one file. Pure; never throws for anything a file may hold. */
export function rowReader(importer: Importer, { header, mapping, match }: FileForm): (raw: RawRow) => ReadRow {
  const columns = header === null ? null : readHeader(importer, match, mapping, header);
  const read = (given: Record<string, unknown>, faults: Fault[]) => check(importer, match, given, faults);
  return (raw) => {
    if (typeof raw === 'object' && 'fault' in raw) return failed(raw.fault, UNREADABLE[raw.fault]);
    if (typeof raw === 'string') return readLine(importer, mapping, raw, read);
    if (columns === null) return failed('malformed_row', UNREADABLE.malformed_row);
    const { given, faults } = readCells(columns, raw);
    const { faults: all, ...row } = read(given, faults);
    return { ...row, faults: all.map((fault) => asCell(fault, columns)) };
  };
}

/** A column says what its cells must be in words of a spreadsheet. */
function asCell(fault: Fault, columns: readonly Column[]): Fault {
  if (fault.code !== 'invalid_type') return fault;
  const column = columns.find(({ to }) => to !== null && placeIn(to) === fault.pointer);
  const detail = column?.to && EXPECTED[column.to.cell];
  return detail ? { ...fault, detail } : fault;
}

const placeIn = ({ path }: Place): string => pointer(path.map((step) => (typeof step === 'number' ? step - 1 : step)));

const failed = (code: string, detail: string): ReadRow => ({
  key: null,
  value: null,
  faults: [{ pointer: '', code, detail }],
});

type Check = (given: Record<string, unknown>, faults: Fault[]) => ReadRow;

function readLine(importer: Importer, mapping: Mapping, line: string, read: Check): ReadRow {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return failed('malformed_json', 'The line is not valid JSON.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return failed('invalid_type', 'A line must be a JSON object.');
  const kept = new Map<string, unknown>();
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    const field = mapped(mapping, name);
    if (field === null || importer.ignored.includes(field)) continue;
    if (kept.has(field))
      faults.push({ pointer: `/${field}`, code: 'duplicate_column', detail: 'This field stands there twice.' });
    kept.set(field, value);
  }
  return read(Object.fromEntries(kept), faults);
}

function check(importer: Importer, match: MatchKey, given: Record<string, unknown>, found: Fault[]): ReadRow {
  const faults = [...found];
  let value: unknown = null;
  try {
    // A blank match key is an absent one: "required" says more than "must be a string".
    const { [match]: key, ...rest } = given;
    value = validate(importer.schema(match), key === null ? rest : given);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    faults.push(...error.faults);
  }
  return { key: keyOf(match, given, value), value, faults: faults.slice(0, MOST_FAULTS).map(shortened) };
}

/** As the database compares them. Where the schema refused the row, it still counts as the first of its key. */
function keyOf(match: MatchKey, given: Record<string, unknown>, value: unknown): string | null {
  const key = (isObject(value) ? value[match] : null) ?? given[match];
  if (typeof key !== 'string' || key.trim() === '') return null;
  return keyText(match, key);
}

/** The file chooses what a pointer names. Postgres holds neither NUL nor half a surrogate pair, which cutting may make. */
function shortened(fault: Fault): Fault {
  const { pointer: at = '' } = fault;
  const short = at.length <= LONGEST_POINTER ? at : `${at.slice(0, LONGEST_POINTER)}…`;
  return { ...fault, pointer: short.replaceAll('\0', '\ufffd').toWellFormed() };
}

/** What is no number, truth or JSON stays text, which the schema refuses. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `a|b|c`; or JSON, as an export writes lists of which a value has the sign itself. */
function listOf(text: string): unknown {
  const told = text.trim().startsWith('[') ? jsonOf(text) : text;
  const isList = Array.isArray(told) && told.every((part) => typeof part === 'string');
  return isList ? told : text.split('|').filter((part) => part.trim() !== '');
}

const VALUES: Readonly<Record<Cell, (text: string) => unknown>> = {
  text: (text) => text,
  list: listOf,
  boolean: (text) => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text,
  json: jsonOf,
  // Whole: 45.00 in a column of minor units would be taken for 45 of them.
  number: (text) => (/^-?[0-9]+$/.test(text.trim()) ? Number(text) : text),
};

/** What a cell must be that is not. */
const EXPECTED: Readonly<Partial<Record<Cell, string>>> = {
  number: 'Must be a whole number such as 4500, without separators; amounts are in minor units.',
  boolean: 'Must be true or false.',
};

function readCells(
  columns: readonly Column[],
  cells: readonly string[],
): { given: Record<string, unknown>; faults: Fault[] } {
  const faults: Fault[] = [];
  const given: Group = new Map();
  if (cells.length !== columns.length) {
    const detail = `The row has ${cells.length} cells, the header ${columns.length}.`;
    faults.push({ pointer: '', code: 'cell_count', detail });
  }
  for (const [at, column] of columns.entries()) {
    const cell = cells[at];
    // A trailing comma in every line makes a column without name or values.
    if (column.fault !== null && !(column.name === '' && (cell ?? '') === '')) faults.push(column.fault);
    if (column.to === null || cell === undefined) continue;
    const { path, cell: kind, clears, clearsField } = column.to;
    const text = unneutral(cell);
    const value = text.trim() === '' ? null : VALUES[kind](text);
    // Beside columns of single members, so whole ones are taken as these.
    if (kind === 'json' && isObject(value)) putAll(given, path, value);
    else if (value !== null || clears) put(given, path, value);
    // All of its members empty, it is empty as a whole.
    else if (clearsField && !given.has(path[0] ?? '')) given.set(path[0] ?? '', null);
  }
  return { given: Object.fromEntries([...given].map(([field, value]) => [field, written(value)])), faults };
}

/** Maps, not objects: the file chooses the names, and assigning to `__proto__` would set the prototype instead. */
type Group = Map<string | number, unknown>;

function put(group: Group, [step = '', ...rest]: Place['path'], value: unknown): void {
  if (rest.length === 0) {
    group.set(step, value);
    return;
  }
  const there = group.get(step);
  const inner: Group = there instanceof Map ? there : new Map();
  group.set(step, inner);
  put(inner, rest, value);
}

function putAll(group: Group, [step = '', ...rest]: Place['path'], members: Readonly<Record<string, unknown>>): void {
  const there = group.get(step);
  const inner: Group = there instanceof Map ? there : new Map();
  group.set(step, inner);
  if (rest.length > 0) putAll(inner, rest, members);
  else for (const [name, value] of Object.entries(members)) inner.set(name, value);
}

/** Members by number are a list, in their order and without the gaps. */
function written(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const group: Group = value;
  const members = [...group].map(([step, inner]) => [step, written(inner)] as const);
  return members.length > 0 && members.every(([step]) => typeof step === 'number')
    ? members.sort(([a], [b]) => Number(a) - Number(b)).map(([, inner]) => inner)
    : Object.fromEntries(members);
}
