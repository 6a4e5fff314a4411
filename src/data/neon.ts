import type { SQL } from 'drizzle-orm';
import { statementText } from './statement-text.ts';

/** What Postgres, the SQL proxy or the way to it said in place of an answer. */
export class NeonDbError extends Error {
  override readonly name = 'NeonDbError';
  declare readonly code?: string;
  declare readonly severity?: string;
  declare readonly detail?: string;
  declare readonly hint?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  declare readonly table?: string;
}
const SAID = ['code', 'severity', 'detail', 'hint', 'column', 'constraint', 'table'] as const;

type ProxyOptions = {
  /** `postgres://role:password@host/database` */
  url: string;
  /** The whole batch is REPEATABLE READ, READ ONLY. */
  readOnly: boolean;
  /** Longest wait for an answer, ms. */
  deadline: number;
};

/** Runs the statements in one transaction and answers the rows of each. @throws NeonDbError */
export type Batch = (statements: readonly SQL[]) => Promise<Record<string, unknown>[][]>;

type Result = { fields: { name: string; dataTypeID: number }[]; rows: (string | null)[][] };

/**
 * Batches over Neon's SQL proxy, as `neon().transaction()` of @neondatabase/serverless sends and reads them: that package is
 * one file with a WebSocket driver in it, a fifth of the bundle and of an isolate's start (test/unit/data/neon.test.ts
 * compares the two).
 */
export function openProxy({ url, readOnly, deadline }: ProxyOptions): Batch {
  const endpoint = endpointOf(new URL(url));
  const headers = {
    'Neon-Connection-String': url,
    'Neon-Raw-Text-Output': 'true',
    'Neon-Array-Mode': 'true',
    ...(readOnly && { 'Neon-Batch-Isolation-Level': 'RepeatableRead', 'Neon-Batch-Read-Only': 'true' }),
  };
  return async (statements) => {
    const body = JSON.stringify({ queries: statements.map(textOf) });
    // A timer that ends with the answer: one left running keeps a Durable Object from its sleep.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('no answer in time', 'TimeoutError')), deadline);
    try {
      const asked = fetch(endpoint, { method: 'POST', body, headers, signal: late.signal });
      const answer = await asked.catch((error: unknown) => {
        throw new NeonDbError(`Error connecting to database: ${error}`, { cause: error });
      });
      if (!answer.ok) throw await errorOf(answer);
      const { results } = (await answer.json()) as { results: unknown };
      if (!Array.isArray(results)) throw new NeonDbError('unexpected result format');
      return (results as Result[]).map(rowsOf);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Local addresses are recognised from the URL itself, so development needs no setting of its own. */
function endpointOf({ hostname, port }: URL): string {
  if (hostname === '127.0.0.1' || hostname === 'localhost') return `http://${hostname}:${port}/sql`;
  return `https://${hostname.replace(/^[^.]+\./, 'api.')}/sql`;
}

async function errorOf(answer: Response): Promise<NeonDbError> {
  if (answer.status !== 400)
    return new NeonDbError(`Server error (HTTP status ${answer.status}): ${await answer.text()}`);
  const said = (await answer.json()) as Record<string, string | undefined>;
  const known = SAID.flatMap((field) => (said[field] == null ? [] : [[field, said[field]]]));
  return Object.assign(new NeonDbError(said.message), Object.fromEntries(known));
}

function textOf(statement: SQL): { query: string; params: (string | null)[] } {
  const { query, params } = statementText(statement);
  return { query, params: params.map(parameter) };
}

/** A parameter as Postgres reads it from text. */
function parameter(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(element).join(',')}}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function element(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (Array.isArray(value)) return String(parameter(value));
  return `"${parameter(value)?.replace(/[\\"]/g, '\\$&')}"`;
}

/** The types that are more than their text, by the number that Postgres gives them. The text of others is the value. */
const PARSED: ReadonlyMap<number, (text: string) => unknown> = new Map([
  [16, (text: string): unknown => text === 't'],
  ...[21, 23, 26, 700, 701].map((type) => [type, Number] as const),
  ...[114, 3802].map((type) => [type, JSON.parse] as const),
]);

function rowsOf({ fields, rows }: Result): Record<string, unknown>[] {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, parse: PARSED.get(dataTypeID) }));
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (const [index, { name, parse }] of columns.entries()) {
      const text = row[index] ?? null;
      object[name] = text === null || parse === undefined ? text : parse(text);
    }
    return object;
  });
}
