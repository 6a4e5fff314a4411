import { AppError, type Fault } from '../../core/errors.ts';
import { pointer } from '../../core/json.ts';
import type { Importer, MatchKey } from '../../resources/importer.ts';
import { columnsOf, type Place, placeOf } from '../../resources/place.ts';

/** What the request says of the file's columns: the field per name of the file, null for those that are not read. */
export type Mapping = Readonly<Record<string, string | null>>;

export type Column = {
  name: string;
  /** Null for what is not read. */
  to: Place | null;
  fault: Fault | null;
};

/** RFC 6901. */
const pointerTo = (name: string): string => pointer([name]);

/** The place of a field as a file or a mapping names it; null when there is none. */
export const targetOf = (importer: Importer, match: MatchKey, name: string): Place | null =>
  placeOf(importer.schema(match), name);

/** The field that the mapping gives a name of the file, else the name itself. */
export const mapped = (mapping: Mapping, name: string): string | null =>
  Object.hasOwn(mapping, name) ? (mapping[name] ?? null) : name;

export function readHeader(importer: Importer, match: MatchKey, mapping: Mapping, header: readonly string[]): Column[] {
  const names = header.map((name) => name.trim());
  const fields = names.map((name) => mapped(mapping, name));
  return names.map((name, at): Column => {
    const field = fields[at] ?? null;
    const fault = (code: string, detail: string): Column => ({
      name,
      to: null,
      fault: { pointer: pointerTo(name), code, detail },
    });
    if (field === null) return { name, to: null, fault: null };
    if (field !== '' && fields.indexOf(field) !== at)
      return fault('duplicate_column', 'This column stands there twice.');
    const to = targetOf(importer, match, field);
    if (to !== null) return { name, to, fault: null };
    if (importer.ignored.includes(field)) return { name, to: null, fault: null };
    return fault('unknown_field', 'This column does not exist here.');
  });
}

/** Names of a file that a refusal repeats to whoever sent it. */
const MOST_NAMES = 30;
const LONGEST_NAME = 60;
const shown = (names: readonly string[]): string[] =>
  names.slice(0, MOST_NAMES).map((name) => name.slice(0, LONGEST_NAME).toWellFormed());

/**
 * A file that cannot be meant for this import is refused whole and once, not row by row.
 * @param key the match key, without which no row could go in
 * @throws AppError malformed_file naming the columns of the file and the known ones
 */
export function checkHeader(importer: Importer, mapping: Mapping, key: MatchKey, header: readonly string[]): void {
  const columns = readHeader(importer, key, mapping, header);
  const found = columns.map(({ name }) => name).filter((name) => name !== '');
  const known = columnsOf(importer.schema(key));
  const absent = Object.keys(mapping).filter((name) => !found.includes(name));
  const reason =
    absent.length > 0
      ? `columns names what the file does not have: ${shown(absent).join(', ')}.`
      : columns.every(({ to }) => to === null)
        ? 'The file has no column that is known here.'
        : columns.some(({ to }) => to?.path[0] === key)
          ? null
          : `The file has no column ${key}, by which rows are matched.`;
  if (reason === null) return;
  const detail = `${reason} Columns of the file: ${shown(found).join(', ')}. Known: ${known.join(', ')}. Others can be mapped: columns={"Vorname":"firstName"}.`;
  throw new AppError('malformed_file', detail);
}
