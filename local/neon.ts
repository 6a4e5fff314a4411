import type { IncomingHttpHeaders } from 'node:http';
import pg from 'pg';
import { type BridgeAnswer, type Fault, startBridgeServer } from './bridge-http.ts';
import { errorText } from './errors.ts';
import { NeonPool, type Target } from './neon-pool.ts';
import { runPipeline, type Statement, type StatementResult } from './neon-query.ts';

/** What a hook learns about a request. */
export interface NeonRequest {
  user: string;
  database: string;
  /** false for a single statement, which Postgres commits by itself. */
  batch: boolean;
  readOnly: boolean;
  statements: Statement[];
}

export interface NeonOptions {
  port?: number;
  postgresHost: string;
  postgresPort: number;
  /** Added once to every HTTP request, before its work; milliseconds. */
  delayMs?: number;
  /** Called with every well-formed request before it runs; a promise is awaited, a rejection answers 500. */
  onRequest?(request: NeonRequest): unknown;
  /** Called (and awaited) when the work is committed and BEFORE the answer is sent; for single statements too. */
  afterCommit?(request: NeonRequest): unknown;
}

export interface NeonBridge {
  port: number;
  setDelay(ms: number): void;
  setFault(fault: Fault): void;
  setBudget(requests: number | null): void;
  /** Totals since the start: HTTP requests, batches among them, statements in all. */
  counts(): { requests: number; batches: number; statements: number };
  /** Replaces the hooks of the options; null removes one. */
  setHooks(hooks: {
    onRequest?: NeonOptions['onRequest'] | null;
    afterCommit?: NeonOptions['afterCommit'] | null;
  }): void;
  /** Closes the bridge's idle connections to a database, so that it can be copied or dropped. */
  closeIdle(database: string): Promise<void>;
  stop(): Promise<void>;
}

class BadRequest extends Error {}

const isolationLevels: Record<string, string> = {
  serializable: 'serializable',
  repeatableread: 'repeatable read',
  readcommitted: 'read committed',
  readuncommitted: 'read uncommitted',
};
const errorFields = ['severity', 'code', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where'];
errorFields.push('schema', 'table', 'column', 'dataType', 'constraint', 'file', 'line', 'routine');

/**
 * Speaks Neon's SQL over HTTP (`POST /sql`) on 127.0.0.1 in front of an ordinary Postgres, as far as
 * @neondatabase/serverless uses it: values always as raw text. A client that leaves does not stop its transaction.
 */
export async function startNeonBridge(options: NeonOptions): Promise<NeonBridge> {
  const pool = new NeonPool(options.postgresHost, options.postgresPort);
  const targets = new Map<string, Target>();
  const total = { requests: 0, batches: 0, statements: 0 };
  let { onRequest, afterCommit } = options;

  async function handle(headers: IncomingHttpHeaders, body: string): Promise<BridgeAnswer> {
    const target = readTarget(headers, targets);
    const { statements, batch } = readBody(body);
    const begin = batch ? beginStatement(headers) : undefined;
    const readOnly = batch && headers['neon-batch-read-only'] === 'true';
    const request: NeonRequest = { user: target.user, database: target.database, batch, readOnly, statements };
    total.statements += statements.length;
    if (batch) total.batches += 1;
    if (onRequest !== undefined) await onRequest(request);
    const results = await pool.run(target, (client) => runPipeline(client, statements, begin));
    if (afterCommit !== undefined) await afterCommit(request);
    return { status: 200, body: render(results, batch, headers['neon-array-mode'] === 'true') };
  }

  const server = await startBridgeServer(
    {
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.delayMs === undefined ? {} : { delayMs: options.delayMs }),
      onRequest: () => {
        total.requests += 1;
      },
    },
    async (request, body) => {
      if (request.method !== 'POST' || request.url !== '/sql') return { status: 404, body: '{"message":"not found"}' };
      try {
        return await handle(request.headers, body);
      } catch (error) {
        return renderError(error);
      }
    },
  );
  return {
    ...server,
    counts: () => ({ ...total }),
    setHooks(hooks) {
      if (hooks.onRequest !== undefined) onRequest = hooks.onRequest ?? undefined;
      if (hooks.afterCommit !== undefined) afterCommit = hooks.afterCommit ?? undefined;
    },
    closeIdle: (database) => pool.closeIdle(database),
    async stop() {
      await server.stop();
      await pool.stop();
    },
  };
}

function readTarget(headers: IncomingHttpHeaders, known: Map<string, Target>): Target {
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

function readBody(body: string): { statements: Statement[]; batch: boolean } {
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
  return { query: json.query, params: params.map(asText) };
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

function beginStatement(headers: IncomingHttpHeaders): string {
  const words = ['begin'];
  const level = headers['neon-batch-isolation-level'];
  if (typeof level === 'string') {
    const name = isolationLevels[level.toLowerCase()];
    if (name === undefined) throw new BadRequest(`invalid isolation level: ${level}`);
    words.push('isolation level', name);
  }
  if (headers['neon-batch-read-only'] === 'true') words.push('read only');
  if (headers['neon-batch-read-only'] === 'false') words.push('read write');
  if (headers['neon-batch-deferrable'] === 'true') words.push('deferrable');
  return words.join(' ');
}

function render(results: StatementResult[], batch: boolean, asArrays: boolean): string {
  const shaped = asArrays ? results : results.map((result) => ({ ...result, ...asObjects(result), rowAsArray: false }));
  return JSON.stringify(batch ? { results: shaped } : shaped[0]);
}

function asObjects(result: StatementResult): { rows: Record<string, string | null>[] } {
  const names = result.fields.map((field) => field.name);
  const rows = result.rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])));
  return { rows };
}

function renderError(error: unknown): BridgeAnswer {
  const body: Record<string, unknown> = { message: errorText(error) };
  if (error instanceof pg.DatabaseError) {
    const known: Record<string, unknown> = { ...error };
    for (const name of errorFields) body[name] = known[name] ?? null;
    return { status: 400, body: JSON.stringify(body) };
  }
  // Anything else means that Postgres could not be reached or went away in the middle.
  return { status: error instanceof BadRequest ? 400 : 500, body: JSON.stringify(body) };
}
