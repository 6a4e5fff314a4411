import { AppError, type Fault } from '../../core/errors.ts';
import { validate } from '../../http/body.ts';
import type { Importer } from './importer.ts';

export type Format = 'csv' | 'ndjson';

/** A row as the file had it: the cells of CSV, the line of NDJSON, or why it was not kept. */
export type RawRow = string | string[] | { fault: 'row_too_large' | 'malformed_row' };

/** What a row says, checked; or everything that is wrong with it. */
export type ReadRow = { externalId: string | null; value: unknown; faults: Fault[] };

/** A row may have more faults than anybody reads: an object of ten thousand unknown fields. */
const MOST_FAULTS = 50;
const LONGEST_POINTER = 200;

const UNREADABLE = {
  row_too_large: 'The row is too large.',
  malformed_row:
    'A quote stands where none may be: a cell with quotes, commas or line ends is quoted, its quotes doubled.',
} as const;

/** Reads the rows of one file. `header` is null for NDJSON. Pure; never throws for anything a file may hold. */
export function rowReader(importer: Importer, header: readonly string[] | null): (raw: RawRow) => ReadRow {
  const columns = header === null ? null : readHeader(importer, header);
  const headless = columns?.every(({ fault }) => fault !== null) ?? false;
  return (raw) => {
    // A file without a header row begins with somebody's data: its first row must not stand in a report as column names.
    if (headless) return failed('required', 'The header row names no column that is known here.', '/externalId');
    if (typeof raw === 'object' && 'fault' in raw) return failed(raw.fault, UNREADABLE[raw.fault]);
    if (typeof raw === 'string') return readLine(importer, raw);
    if (columns === null) return failed('malformed_row', UNREADABLE.malformed_row);
    const { given, faults } = readCells(columns, raw);
    return check(importer, given, faults);
  };
}

const failed = (code: string, detail: string, pointer = ''): ReadRow => ({
  externalId: null,
  value: null,
  faults: [{ pointer, code, detail }],
});

function readLine(importer: Importer, line: string): ReadRow {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return failed('malformed_json', 'The line is not valid JSON.');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return failed('invalid_type', 'A line must be a JSON object.');
  const kept = Object.entries(given).filter(([name]) => !importer.ignored.includes(name));
  return check(importer, Object.fromEntries(kept), []);
}

function check(importer: Importer, given: Record<string, unknown>, found: Fault[]): ReadRow {
  const faults = [...found];
  let value: unknown = null;
  try {
    // A blank match key is an absent one: "required" says more than "must be a string".
    const { externalId: _, ...rest } = given;
    value = validate(importer.schema, given.externalId === null ? rest : given);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    faults.push(...error.faults);
  }
  const key = given.externalId;
  // As the schema reads it, so that a row with another fault still counts as the first of its external id.
  const externalId = typeof key === 'string' && key.trim() !== '' ? key.trim().normalize('NFC') : null;
  return { externalId, value, faults: faults.slice(0, MOST_FAULTS).map(shortened) };
}

/** The file chooses what a pointer names. Postgres holds neither NUL nor half a surrogate pair, which cutting may make. */
function shortened(fault: Fault): Fault {
  const { pointer = '' } = fault;
  const short = pointer.length <= LONGEST_POINTER ? pointer : `${pointer.slice(0, LONGEST_POINTER)}…`;
  return { ...fault, pointer: short.replaceAll('\0', '\ufffd').toWellFormed() };
}

type Column = {
  name: string;
  /** Where its values go: a field, or a member of an object; null for what is not read. */
  to: { field: string; member: string | null; list: boolean } | null;
  fault: Fault | null;
};

/** RFC 6901. */
const pointerTo = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function readHeader(importer: Importer, header: readonly string[]): Column[] {
  const names = header.map((name) => name.trim());
  return names.map((name, at): Column => {
    const fault = (code: string, detail: string): Column => ({
      name,
      to: null,
      fault: { pointer: pointerTo(name), code, detail },
    });
    if (name !== '' && names.indexOf(name) !== at) return fault('duplicate_column', 'This column stands there twice.');
    if (importer.ignored.includes(name)) return { name, to: null, fault: null };
    if (Object.hasOwn(importer.columns, name)) {
      return { name, to: { field: name, member: null, list: importer.columns[name] === 'list' }, fault: null };
    }
    const object = importer.objects.find((field) => name.startsWith(`${field}.`) && name.length > field.length + 1);
    if (object !== undefined) {
      return { name, to: { field: object, member: name.slice(object.length + 1), list: false }, fault: null };
    }
    return fault('unknown_field', 'This column does not exist here.');
  });
}

function readCells(
  columns: readonly Column[],
  cells: readonly string[],
): { given: Record<string, unknown>; faults: Fault[] } {
  const faults: Fault[] = [];
  // Maps, not objects: the file chooses the names, and assigning to `__proto__` would set the prototype instead.
  const given = new Map<string, unknown>();
  const objects = new Map<string, Map<string, unknown>>();
  if (cells.length !== columns.length) {
    const detail = `The row has ${cells.length} cells, the header ${columns.length}.`;
    faults.push({ pointer: '', code: 'cell_count', detail });
  }
  for (const [at, column] of columns.entries()) {
    const cell = cells[at];
    // A trailing comma in every line makes a column without name or values.
    if (column.fault !== null && !(column.name === '' && (cell ?? '') === '')) faults.push(column.fault);
    if (column.to === null || cell === undefined) continue;
    const { field, member, list } = column.to;
    const text = plain(cell);
    const value = text.trim() === '' ? null : list ? text.split('|').filter((part) => part.trim() !== '') : text;
    if (member === null) given.set(field, value);
    else {
      const object = objects.get(field) ?? new Map<string, unknown>();
      objects.set(field, object.set(member, value));
    }
  }
  for (const [field, object] of objects) given.set(field, Object.fromEntries(object));
  return { given: Object.fromEntries(given), faults };
}

/** Our export puts an apostrophe before what a spreadsheet would take for a formula (contract-details A6). */
const plain = (cell: string): string => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell);
