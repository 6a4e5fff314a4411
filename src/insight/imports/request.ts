import { AppError, type Fault } from '../../core/errors.ts';
import { queryRefusal } from '../../core/query-values.ts';
import { refuseCoding } from '../../http/body.ts';
import type { AppContext } from '../../http/context.ts';
import type { QueryParameter } from '../../http/route.ts';
import { keyOf } from '../../resources/idempotency.ts';
import type { Importer, Importers, MatchKey } from '../../resources/importer.ts';
import { columnsOf } from '../../resources/place.ts';
import type { Charset } from './charset.ts';
import { type Mapping, targetOf } from './header.ts';
import type { Format } from './rows.ts';
import { MOST_BYTES, tooLarge } from './upload.ts';

/** What POST /imports asks for, apart from the file. */
export type ImportRequest = Query & { format: Format; charset: Charset; key: string | null };

type Query = { importer: Importer; dryRun: boolean; match: MatchKey; mapping: Mapping };

/**
 * Reads everything but the body, in the contract's order: 413, 415, 400 (contract-details A2).
 * @throws AppError payload_too_large, unsupported_media_type, unknown_parameter, invalid_parameter, invalid_idempotency_key
 */
export function readRequest(c: AppContext, importers: Importers): ImportRequest {
  if (Number(c.req.header('Content-Length') ?? '0') > MOST_BYTES) throw tooLarge();
  const type = typeOf(c.req.header('Content-Type') ?? '');
  refuseCoding(c);
  return { ...readQuery(new URL(c.req.url).searchParams, importers), ...type, key: keyOf(c) };
}

const FORMATS: Readonly<Record<string, Format>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
};
/** Those that the document and refusals name. */
export const FILE_TYPES = ['text/csv', 'application/x-ndjson'];

/** Names of character sets that a file of CSV may have (WHATWG Encoding); NDJSON is UTF-8. */
const CHARSETS: Readonly<Record<string, Charset>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  latin1: 'latin1',
  'iso-8859-1': 'latin1',
  'windows-1252': 'latin1',
};

function typeOf(header: string): { format: Format; charset: Charset } {
  const [type = '', ...parameters] = header
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  const known = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
  if (known === undefined) throw new AppError('unsupported_media_type', `Send the file as ${FILE_TYPES.join(' or ')}.`);
  if (known === 'ndjson') {
    if (charset !== undefined && CHARSETS[charset] !== 'utf-8')
      throw new AppError('unsupported_media_type', 'Send lines of JSON in UTF-8.');
    return { format: known, charset: 'utf-8' };
  }
  if (charset !== undefined && !Object.hasOwn(CHARSETS, charset))
    throw new AppError('unsupported_media_type', `Send the file in one of: ${Object.keys(CHARSETS).join(', ')}.`);
  return { format: known, charset: charset === undefined ? null : (CHARSETS[charset] ?? null) };
}

/** What the query may say. */
export const queryOf = (importers: Importers) =>
  ({
    resource: { kind: 'enum', values: [...importers.keys()], required: true, description: 'What the rows are.' },
    dryRun: {
      kind: 'boolean',
      description: 'true: says what the import would do and stores nothing. Default false.',
    },
    match: {
      kind: 'enum',
      values: [...new Set([...importers.values()].flatMap(({ matches }) => matches))],
      description:
        'What a row finds its object by. `email` and `phone` (clients): rows need no `externalId`; the one client with that address or number is updated, two are an error of the row. Default externalId.',
    },
    columns: {
      description:
        'What the columns of the file mean, as JSON: `{"Vorname":"firstName","Notiz":"notes","Rabatt":null}`; null: not read. Columns that are not named here are fields.',
    },
  }) satisfies Record<string, QueryParameter>;

function readQuery(params: URLSearchParams, importers: Importers): Query {
  const faults: Fault[] = [];
  const allowed = queryOf(importers);
  const unknown = [...new Set(params.keys())].filter((name) => !Object.hasOwn(allowed, name));
  for (const name of unknown) {
    const parameter = name.slice(0, 100).toWellFormed();
    faults.push({ parameter, code: 'unknown_parameter', detail: `Allowed: ${Object.keys(allowed).join(', ')}.` });
  }
  const one = (name: string): string | null => {
    const values = params.getAll(name);
    if (values.length > 1) faults.push({ parameter: name, code: 'repeated', detail: 'Must be given once.' });
    return values[0] ?? null;
  };
  const choice = <T extends string>(name: string, values: readonly T[], fallback: T | null): T | null => {
    const text = one(name);
    const value = values.find((each) => each === text) ?? (text === null ? fallback : null);
    const code = text === null ? 'required' : 'invalid_value';
    if (value === null) faults.push({ parameter: name, code, detail: `Must be one of: ${values.join(', ')}.` });
    return value;
  };
  const importer = importers.get(choice('resource', allowed.resource.values, null) ?? '');
  const dryRun = choice('dryRun', ['true', 'false'], 'false');
  const match = choice('match', importer?.matches ?? allowed.match.values, 'externalId');
  const mapping = readMapping(one('columns'), importer, match ?? 'externalId', faults);
  if (importer === undefined || match === null || faults.length > 0) throw queryRefusal(faults);
  return { importer, dryRun: dryRun === 'true', match, mapping };
}

const MOST_MAPPED = 500;

function readMapping(text: string | null, importer: Importer | undefined, match: MatchKey, faults: Fault[]): Mapping {
  const wrong = (detail: string): Mapping => {
    faults.push({ parameter: 'columns', code: 'invalid_value', detail });
    return {};
  };
  if (text === null) return {};
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return wrong('Must be a JSON object of column and field.');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return wrong('Must be a JSON object of column and field.');
  const entries = Object.entries(given).map(([name, field]): [string, unknown] => [name.trim(), field]);
  if (entries.length > MOST_MAPPED) return wrong(`May name ${MOST_MAPPED} columns.`);
  const isField = (field: unknown): field is string | null =>
    field === null ||
    (typeof field === 'string' && (importer === undefined || targetOf(importer, match, field) !== null));
  const mapped = entries.flatMap(([name, field]): [string, string | null][] => (isField(field) ? [[name, field]] : []));
  if (mapped.length < entries.length)
    return wrong(
      `A column may mean null or one of: ${importer === undefined ? '' : columnsOf(importer.schema(match)).join(', ')}.`,
    );
  const fields = mapped.flatMap(([, field]) => field ?? []);
  if (new Set(fields).size < fields.length) return wrong('Two columns cannot mean the same field.');
  // The caller chooses the names: as plain members, whatever they are called.
  return Object.fromEntries(mapped);
}
