import { AppError, type Fault } from '../../core/errors.ts';
import type { AppContext } from '../../http/context.ts';
import { keyOf } from '../../http/idempotency.ts';
import type { QueryParameter } from '../../http/route.ts';
import type { Importer, Importers } from './importer.ts';
import type { Format } from './rows.ts';
import { MOST_BYTES, tooLarge } from './upload.ts';

/** What POST /imports asks for, apart from the file. */
export type ImportRequest = { importer: Importer; dryRun: boolean; format: Format; key: string | null };

/**
 * Reads everything but the body, in the contract's order: 413, 415, 400 (contract-details A2).
 * @throws AppError payload_too_large, unsupported_media_type, unknown_parameter, invalid_parameter, invalid_idempotency_key
 */
export function readRequest(c: AppContext, importers: Importers): ImportRequest {
  if (Number(c.req.header('Content-Length') ?? '0') > MOST_BYTES) throw tooLarge();
  const format = formatOf(c.req.header('Content-Type') ?? '');
  const { importer, dryRun } = readQuery(new URL(c.req.url).searchParams, importers);
  return { importer, dryRun, format, key: keyOf(c) };
}

const FORMATS = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson' } as const satisfies Record<string, Format>;
export const FILE_TYPES = Object.keys(FORMATS);

function formatOf(header: string): Format {
  const [type = '', ...parameters] = header
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  const known = Object.hasOwn(FORMATS, type) ? FORMATS[type as keyof typeof FORMATS] : null;
  if (known === null) throw new AppError('unsupported_media_type', `Send the file as ${FILE_TYPES.join(' or ')}.`);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new AppError('unsupported_media_type', 'Send the file in UTF-8.');
  return known;
}

/** What the query may say. */
export const queryOf = (importers: Importers) =>
  ({
    resource: { kind: 'enum', values: [...importers.keys()], required: true, description: 'What the rows are.' },
    dryRun: {
      kind: 'boolean',
      description: 'true: says what the import would do and stores nothing. Default false.',
    },
  }) satisfies Record<string, QueryParameter>;

function readQuery(params: URLSearchParams, importers: Importers): { importer: Importer; dryRun: boolean } {
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
  const resource = one('resource');
  const importer = importers.get(resource ?? '');
  if (importer === undefined) {
    const code = resource === null ? 'required' : 'invalid_value';
    faults.push({ parameter: 'resource', code, detail: `Must be one of: ${allowed.resource.values.join(', ')}.` });
  }
  const dryRun = one('dryRun') ?? 'false';
  if (dryRun !== 'true' && dryRun !== 'false')
    faults.push({ parameter: 'dryRun', code: 'invalid_value', detail: 'Must be one of: true, false.' });
  if (importer === undefined || faults.length > 0) {
    const code = unknown.length === faults.length ? 'unknown_parameter' : 'invalid_parameter';
    throw new AppError(code, `${faults[0]?.parameter}: ${faults[0]?.detail}`, { faults });
  }
  return { importer, dryRun: dryRun === 'true' };
}
