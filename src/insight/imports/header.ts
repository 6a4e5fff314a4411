import { AppError, type Fault } from '../../core/errors.ts';
import { pointer } from '../../core/json.ts';
import { unneutral } from '../../http/csv.ts';
import { type Importer, keyText, type MatchKey, type Need } from '../../resources/importer.ts';
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
const MOST_NAMES = 100;
const LONGEST_NAME = 60;
const shown = (names: readonly string[]): string[] =>
  names.slice(0, MOST_NAMES).map((name) => name.slice(0, LONGEST_NAME).toWellFormed());

/** What a new object needs that the file has no column for: it goes in only where it is about objects that are there. */
export type Lack = { refusal: AppError; key(cells: readonly string[]): string };

/**
 * A file that cannot be meant for this import is refused whole and once, not row by row.
 * @param key the match key, without which no row could go in
 * @returns what new objects lack, null where nothing
 * @throws AppError invalid_body naming the columns that are missing, those of the file and those there are
 */
export function checkHeader(
  importer: Importer,
  mapping: Mapping,
  key: MatchKey,
  header: readonly string[],
): Lack | null {
  const columns = readHeader(importer, key, mapping, header);
  const found = columns.map(({ name }) => name).filter((name) => name !== '');
  const told = new Set(columns.flatMap(({ to }) => to?.path[0] ?? []));
  const lacking = [{ columns: [key], always: true }, ...importer.needs].filter(
    (need) => !need.columns.some((name) => told.has(name)),
  );
  const absent = Object.keys(mapping).filter((name) => !found.includes(name));
  if (lacking.length + absent.length === 0) return null;
  const isUnknown = columns.every(({ to }) => to === null);
  const refusal = refusalOf({ importer, mapping, key, found, lacking, absent, isUnknown });
  if (isUnknown || absent.length > 0 || lacking.some(({ always }) => always)) throw refusal;
  const at = columns.findIndex(({ to }) => to?.path[0] === key);
  return { refusal, key: (cells) => keyText(key, unneutral(cells[at] ?? '')) };
}

type Refused = { importer: Importer; mapping: Mapping; key: MatchKey; found: string[] } & {
  lacking: readonly Need[];
  absent: readonly string[];
  isUnknown: boolean;
};

function refusalOf({ importer, mapping, key, found, lacking, absent, isUnknown }: Refused): AppError {
  const missing = lacking.map(({ columns: [name = ''] }) => name);
  const known = columnsOf(importer.schema(key));
  const own = shown(found);
  const instead = importer.matches.filter((other) => other !== key).map((other) => `match=${other}`);
  const reasons = [
    ...(absent.length > 0 ? [`columns names what the file does not have: ${shown(absent).join(', ')}.`] : []),
    ...(isUnknown ? ['The file has no column that is known here.'] : []),
    ...(missing.length > 0 ? [`The file lacks the columns: ${missing.join(', ')}.`] : []),
    ...(missing.includes(key) && instead.length > 0
      ? [`Rows are found without ${key} by ${instead.join(' or ')}.`]
      : []),
  ];
  const faults: Fault[] = [
    ...absent.map(() => ({ parameter: 'columns', code: 'unknown_column', detail: 'The file has no such column.' })),
    ...lacking.map(({ columns: [name = '', ...others] }) => ({
      ...{ pointer: pointerTo(name), code: 'required' },
      detail: `The file has no column ${[name, ...others].join(' or ')}.`,
    })),
  ];
  const detail = `${reasons.join(' ')} Columns of the file: ${own.join(', ')}. Known: ${known.join(', ')}. Others can be mapped: columns={"Vorname":"firstName"}.`;
  const isMapped = Object.keys(mapping).length > 0;
  return new AppError('invalid_body', detail, {
    faults,
    extra: { missing, columns: own, ...(isMapped && { mapping }) },
  });
}
