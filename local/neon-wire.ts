import type { IncomingHttpHeaders } from 'node:http';
import pg from 'pg';
import type { BridgeAnswer } from './bridge-http.ts';
import { errorText } from './errors.ts';
import { Left } from './neon-batch.ts';
import { Refused, type Target } from './neon-pool.ts';
import { type Statement, type StatementResult, TooLarge } from './neon-query.ts';

// How Neon's SQL over HTTP is written: requests, answers, errors. Read off its public source, proxy/src/serverless.

export class BadRequest extends Error {}

const isolationLevels = new Map([
  ['Serializable', 'serializable'],
  ['RepeatableRead', 'repeatable read'],
  ['ReadCommitted', 'read committed'],
  ['ReadUncommitted', 'read uncommitted'],
]);

/** What the headers ask for. Anything that is not strictly `true` is false. */
export interface Options {
  asArrays: boolean;
  readOnly: boolean;
  deferrable: boolean;
  isolation: string | undefined;
}

export function readOptions(headers: IncomingHttpHeaders): Options {
  const level = headers['neon-batch-isolation-level'];
  if (level !== undefined && !isolationLevels.has(String(level))) throw new BadRequest('invalid isolation level');
  return {
    asArrays: headers['neon-array-mode'] === 'true',
    readOnly: headers['neon-batch-read-only'] === 'true',
    deferrable: headers['neon-batch-deferrable'] === 'true',
    isolation: level === undefined ? undefined : String(level),
  };
}

export function beginStatement({ isolation, readOnly, deferrable }: Options): string {
  const words = ['begin'];
  if (isolation !== undefined) words.push('isolation level', isolationLevels.get(isolation) ?? '');
  if (readOnly) words.push('read only');
  if (deferrable) words.push('deferrable');
  return words.join(' ');
}

/** The answer to a batch says how its transaction was opened. */
export function batchHeaders({ isolation, readOnly, deferrable }: Options): Record<string, string> {
  return {
    ...(readOnly && { 'Neon-Batch-Read-Only': 'true' }),
    ...(deferrable && { 'Neon-Batch-Deferrable': 'true' }),
    ...(isolation !== undefined && { 'Neon-Batch-Isolation-Level': isolation }),
  };
}

export function readTarget(headers: IncomingHttpHeaders, known: Map<string, Target>): Target {
  const text = headers['neon-connection-string'];
  if (typeof text !== 'string') throw new BadRequest('missing header Neon-Connection-String');
  const cached = known.get(text);
  if (cached !== undefined) return cached;
  if (!URL.canParse(text)) throw new BadRequest('Neon-Connection-String is not a URL');
  const url = new URL(text);
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (user === '' || database === '') throw new BadRequest('Neon-Connection-String needs a user and a database');
  const target = { user, password: decodeURIComponent(url.password), database };
  known.set(text, target);
  return target;
}

export function readBody(body: string): { statements: Statement[]; batch: boolean } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof json !== 'object' || json === null) throw new BadRequest('the body is not an object');
  if ('queries' in json && Array.isArray(json.queries))
    return { statements: json.queries.map(readStatement), batch: true };
  return { statements: [readStatement(json)], batch: false };
}

function readStatement(json: unknown): Statement {
  if (typeof json !== 'object' || json === null || !('query' in json) || typeof json.query !== 'string') {
    throw new BadRequest('a query needs a text in "query"');
  }
  const params = 'params' in json && Array.isArray(json.params) ? json.params : [];
  const arrayMode = 'arrayMode' in json && typeof json.arrayMode === 'boolean' ? json.arrayMode : null;
  return { query: json.query, params: params.map(asText), arrayMode };
}

/** The driver sends text and null; the rest is what Neon makes of other JSON values. */
function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayLiteral(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function arrayLiteral(values: unknown[]): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return arrayLiteral(value);
    const text = asText(value);
    return text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${items.join(',')}}`;
}

export function writeResults(results: readonly StatementResult[], batch: boolean): string {
  const shown = results.map(
    ({ fields, rows, ...rest }) =>
      `{"fields":${JSON.stringify(fields)},"rows":[${rows.join()}],${JSON.stringify(rest).slice(1)}`,
  );
  return batch ? `{"results":[${shown.join()}]}` : (shown[0] ?? '{}');
}

const errorFields = ['detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where', 'table', 'column'];
errorFields.push('schema', 'dataType', 'constraint', 'file', 'line', 'routine');

/** What is no error of Postgres has the fields all the same: these two empty, the others null. */
export function problem(status: number, message: string, error?: pg.DatabaseError): BridgeAnswer {
  const known: Record<string, unknown> = { ...error };
  const body: Record<string, unknown> = { message, code: known.code ?? '', severity: known.severity ?? '' };
  for (const name of errorFields) body[name] = known[name] ?? null;
  return { status, body: JSON.stringify(body) };
}

/**
 * The hosted statuses: 400 for whatever ends a query, a lost connection included; 500 for a refusal at connect, but for an
 * unknown database and for a password, which the proxy itself checks. The driver reads the fields of a 400 only.
 */
export function writeError(error: unknown): BridgeAnswer {
  if (error instanceof TooLarge) return problem(507, error.message);
  if (error instanceof BadRequest) return problem(400, error.message);
  if (error instanceof Left) {
    const body = { message: 'Query cancelled, connection was terminated', code: '08P01' };
    return { status: 400, body: JSON.stringify(body) };
  }
  if (error instanceof Refused) return writeRefusal(error);
  if (error instanceof pg.DatabaseError) return problem(400, error.message, error);
  return problem(400, `error communicating with the server: ${errorText(error)}`);
}

function writeRefusal({ cause, target }: Refused): BridgeAnswer {
  if (!(cause instanceof pg.DatabaseError)) return problem(500, "Couldn't connect to compute node");
  if (cause.code === '28P01') return problem(400, `password authentication failed for user '${target.user}'`);
  return problem(cause.code === '3D000' ? 400 : 500, cause.message, cause);
}
