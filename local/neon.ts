import type { IncomingHttpHeaders } from 'node:http';
import { type BridgeAnswer, type Fault, MOST_BYTES, startBridgeServer } from './bridge-http.ts';
import { runBatch } from './neon-batch.ts';
import { NeonPool, type Target } from './neon-pool.ts';
import type { Statement } from './neon-query.ts';
import {
  batchHeaders,
  beginStatement,
  problem,
  readBody,
  readOptions,
  readTarget,
  writeError,
  writeResults,
} from './neon-wire.ts';

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
  /** Added to each trip of the hosted proxy to Postgres, 2n + 2 for n statements, inside the transaction; milliseconds. */
  tripMs?: number;
  /** Requests with such a body are neither counted nor held back by a budget: what goes on by itself. */
  isApart?: (body: string) => boolean;
  /** Whether a connection keeps the plans of functions from request to request, which the hosted proxy's does not. Default false. */
  keepPlans?: boolean;
  /** Largest answer, bytes of JSON. Default: the hosted proxy's 10 MiB. */
  mostBytes?: number;
  /** Called with every well-formed request before it runs; a promise is awaited, a rejection answers 500. */
  onRequest?(request: NeonRequest): unknown;
  /** Called (and awaited) when the work is committed and BEFORE the answer is sent; for single statements too. */
  afterCommit?(request: NeonRequest): unknown;
}

export interface NeonBridge {
  port: number;
  setDelay(ms: number): void;
  setTripDelay(ms: number): void;
  /** Lowers the limit of an answer; null restores the hosted one. */
  setMostBytes(bytes: number | null): void;
  setFault(fault: Fault): void;
  setBudget(requests: number | null): void;
  /** Totals since the start: HTTP requests, batches among them, statements in all, bytes of the largest answer. */
  counts(): { requests: number; batches: number; statements: number; largestAnswer: number };
  /** The largest answer is that of what comes from here on. */
  forgetLargest(): void;
  /** Replaces the hooks of the options; null removes one. */
  setHooks(hooks: {
    onRequest?: NeonOptions['onRequest'] | null;
    afterCommit?: NeonOptions['afterCommit'] | null;
  }): void;
  /** Closes the bridge's idle connections to a database, so that it can be copied or dropped. */
  closeIdle(database: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Speaks Neon's SQL over HTTP (`POST /sql`) on 127.0.0.1 in front of an ordinary Postgres, with the hosted proxy's limits
 * and shapes as far as @neondatabase/serverless meets them: values always as raw text.
 */
export async function startNeonBridge(options: NeonOptions): Promise<NeonBridge> {
  const pool = new NeonPool(options.postgresHost, options.postgresPort, options.keepPlans);
  const targets = new Map<string, Target>();
  const total = { requests: 0, batches: 0, statements: 0, largestAnswer: 0 };
  let { onRequest, afterCommit, tripMs = 0, mostBytes = MOST_BYTES } = options;

  async function handle(headers: IncomingHttpHeaders, body: string, left: AbortSignal): Promise<BridgeAnswer> {
    const target = readTarget(headers, targets);
    const asked = readOptions(headers);
    const { statements, batch } = readBody(body);
    const begin = batch ? beginStatement(asked) : undefined;
    const readOnly = batch && asked.readOnly;
    const request: NeonRequest = { user: target.user, database: target.database, batch, readOnly, statements };
    if (options.isApart?.(body) !== true) {
      total.statements += statements.length;
      if (batch) total.batches += 1;
    }
    if (onRequest !== undefined) await onRequest(request);
    const shape = { asArrays: asked.asArrays, mostBytes };
    const work = { statements, begin, shape, tripMs, left };
    const results = await pool.run(target, (client) => runBatch(client, work));
    if (afterCommit !== undefined) await afterCommit(request);
    return { status: 200, body: writeResults(results, batch), headers: batch ? batchHeaders(asked) : {} };
  }

  const server = await startBridgeServer(
    {
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.delayMs === undefined ? {} : { delayMs: options.delayMs }),
      tooLarge: problem(413, `request is too large (max is ${MOST_BYTES} bytes)`),
      onRequest: () => {
        total.requests += 1;
      },
      isApart: (body) => {
        const apart = options.isApart?.(body) === true;
        if (apart) total.requests -= 1;
        return apart;
      },
      onAnswer: (bytes) => {
        total.largestAnswer = Math.max(total.largestAnswer, bytes);
      },
    },
    async (request, body, left) => {
      if (request.method !== 'POST' || request.url !== '/sql') return { status: 404, body: '{"message":"not found"}' };
      try {
        return await handle(request.headers, body, left);
      } catch (error) {
        return writeError(error);
      }
    },
  );
  return {
    ...server,
    counts: () => ({ ...total }),
    forgetLargest() {
      total.largestAnswer = 0;
    },
    setTripDelay(ms) {
      tripMs = ms;
    },
    setMostBytes(bytes) {
      mostBytes = bytes ?? MOST_BYTES;
    },
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
