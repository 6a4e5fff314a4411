import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { runPipeline, type Shape, type Statement, type StatementResult } from './neon-query.ts';

/** The caller went away before its answer. */
export class Left extends Error {}

/** What one request runs. */
export interface Batch {
  statements: readonly Statement[];
  /** BEGIN with its options; undefined for a single statement, which Postgres commits by itself. */
  begin: string | undefined;
  shape: Shape;
  /**
   * Charges the hosted proxy's own trips to Postgres, so long each: one for BEGIN and COMMIT, two for each statement
   * (it parses and describes, then binds and executes). 0: everything but COMMIT travels together.
   */
  tripMs: number;
  /** Aborted when the caller leaves. */
  left: AbortSignal;
}

const plain = (query: string): Statement => ({ query, params: [], arrayMode: true });

/**
 * Runs a batch as the hosted proxy does: COMMIT is sent when all statements have answered within the limit and the caller
 * is still there. On any error the transaction is left open, for the pool to roll back.
 * @throws Left, TooLarge, pg's DatabaseError, or the socket's error
 */
export async function runBatch(client: pg.Client, batch: Batch): Promise<StatementResult[]> {
  const { statements, begin, shape, tripMs, left } = batch;
  if (left.aborted) throw new Left();
  const cancel = (): void => cancelQuery(client);
  left.addEventListener('abort', cancel, { once: true });
  try {
    const results = tripMs > 0 ? await stepwise(client, batch) : await together(client, statements, begin, shape);
    if (left.aborted) throw new Left();
    if (begin !== undefined) {
      // A commit that has begun is not cancelled there either.
      left.removeEventListener('abort', cancel);
      if (tripMs > 0) await sleep(tripMs);
      await runPipeline(client, [plain('commit')], shape);
    }
    return results;
  } catch (error) {
    if (left.aborted) throw new Left(undefined, { cause: error });
    throw error;
  } finally {
    left.removeEventListener('abort', cancel);
  }
}

async function together(
  client: pg.Client,
  statements: readonly Statement[],
  begin: string | undefined,
  shape: Shape,
): Promise<StatementResult[]> {
  if (begin === undefined) return (await runPipeline(client, statements, shape)).results;
  return (await runPipeline(client, [plain(begin), ...statements], shape)).results.slice(1);
}

async function stepwise(
  client: pg.Client,
  { statements, begin, shape, tripMs, left }: Batch,
): Promise<StatementResult[]> {
  if (begin !== undefined) {
    await sleep(tripMs);
    await runPipeline(client, [plain(begin)], shape);
  }
  const all: StatementResult[] = [];
  let filled = 0;
  for (const statement of statements) {
    if (left.aborted) throw new Left();
    await sleep(2 * tripMs);
    const { results, bytes } = await runPipeline(client, [statement], shape, filled);
    filled = bytes;
    all.push(...results);
  }
  return all;
}

const CANCEL_REQUEST = 80_877_102;

/** Asks Postgres to end what the client's backend is doing; it may have ended by itself meanwhile. */
function cancelQuery(client: pg.Client): void {
  const { host, port, processID, secretKey } = client as pg.Client & { processID: number; secretKey: number };
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(16, 0);
  packet.writeInt32BE(CANCEL_REQUEST, 4);
  packet.writeInt32BE(processID, 8);
  packet.writeInt32BE(secretKey, 12);
  const socket = connect({ host, port });
  // Nobody waits for it: at worst the query ends by its own limits.
  socket.on('error', () => undefined);
  socket.end(packet);
}
