import { type SQL, sql } from 'drizzle-orm';
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http';
import { AppError } from '../core/errors.ts';
import type { Ctx } from './context.ts';
import { endedByServer, writeFailure } from './outcome.ts';
import type { Database } from './postgres.ts';
import { Replay, type StoredAnswer } from './postgres-errors.ts';

/** A row as the log and every query render it: `to_jsonb` of the table, snake_case, UTC. */
export type Row = Record<string, unknown>;

/** One revision of the company log. */
export type Change = {
  revision: number;
  entity: string;
  entityId: string;
  operation: 'INSERT' | 'UPDATE' | 'DELETE';
  schemaVersion: number;
  before: Row | null;
  after: Row | null;
  actor: string;
  requestId: string | null;
  changedAt: string;
};

/** Who writes, checked again inside the transaction: a revoked session or a lowered role stops writes at once. */
export type Writer = { actor: string; credential: Readonly<Record<string, unknown>> };

/** "None of these was touched after `since`": what a plan made from a snapshot rests on. */
export type Guard = { since: number; entities: Readonly<Record<string, readonly string[] | null>> };

/** A claimed Idempotency-Key and how to store its answer. */
export type Claim = { route: string; key: string; fingerprint: Uint8Array };

/** The answer to keep with a claimed key. `result` is jsonb: what the log cannot say, and nothing personal. */
export type Kept = { status: number; entityId: string | null; result?: SQL };

export type Snapshot = { epoch: string; revision: number; results: unknown[] };
export type Committed = {
  epoch: string;
  base: number;
  head: number;
  changes: Change[];
  results: unknown[];
  replay: StoredAnswer | null;
};

type Statement = unknown;

/**
 * The one way to read: one round trip, REPEATABLE READ, revision and rows from one snapshot (R2).
 * @throws AppError database_unavailable, busy, unauthenticated (no such company)
 */
export async function snapshot(
  ctx: Ctx,
  database: Database,
  companyId: string,
  name: string,
  build: (db: NeonHttpDatabase) => readonly Statement[],
): Promise<Snapshot> {
  const begin = database.db.execute(sql`select epoch, revision from app.begin_read(${companyId}::uuid)`);
  const statements = [begin, ...build(database.db)];
  const [head, ...results] = await database.batch(ctx, name, statements, companyId).catch((error: unknown) => {
    // A pool hands out connections that a failover has ended; a read may be repeated as it is.
    if (!endedByServer(error)) throw error;
    return database.batch(ctx, name, statements, companyId);
  });
  const row = rowsOf(head)[0];
  if (row === undefined) throw new AppError('unauthenticated');
  const [epoch, revision] = [String(row.epoch), Number(row.revision)];
  database.seen?.(companyId, epoch, revision, ctx.now());
  return { epoch, revision, results };
}

/**
 * The one way to write: one round trip, one transaction that starts by locking the company's head (R1) and ends by
 * reading back every row it logged. A repeated Idempotency-Key answers `replay` and changes nothing.
 * @throws AppError as `mapPostgresError` says; nothing was changed then, unless `mayBeStored` says that it is not known
 */
export async function commit(
  ctx: Ctx,
  database: Database,
  companyId: string,
  writer: Writer,
  name: string,
  build: (db: NeonHttpDatabase) => readonly Statement[],
  options: { guard?: Guard | undefined; claim?: Claim | undefined; kept?: Kept } = {},
): Promise<Committed> {
  const { db } = database;
  const guard = options.guard === undefined ? null : JSON.stringify(options.guard);
  const { claim } = options;
  const statements: Statement[] = [
    db.execute(
      sql`select epoch, revision from app.begin_write(${companyId}::uuid, ${writer.actor}, ${ctx.requestId}, ${JSON.stringify(writer.credential)}::jsonb, ${guard}::jsonb)`,
    ),
  ];
  if (claim !== undefined) {
    statements.push(
      db.execute(sql`select app.claim_key(${claim.route}, ${claim.key}, decode(${hex(claim.fingerprint)}, 'hex'))`),
    );
  }
  const own = build(db);
  statements.push(...own);
  if (claim !== undefined) {
    const { status, entityId, result = sql`null` } = options.kept ?? { status: 200, entityId: null };
    statements.push(
      db.execute(
        sql`select app.store_answer(${claim.route}, ${claim.key}, ${status}, ${entityId}::uuid, (${result})::jsonb)`,
      ),
    );
  }
  statements.push(db.execute(endWrite));
  let answers: unknown[];
  try {
    answers = await database.batch(ctx, name, statements, companyId);
  } catch (error) {
    if (error instanceof AppError && error.code === 'database_unavailable')
      throw writeFailure(error, claim === undefined ? 'keyless' : 'keyed');
    if (!(error instanceof Replay)) throw error;
    const { answer } = error;
    return { epoch: '', base: answer.revision, head: answer.revision, changes: [], results: [], replay: answer };
  }
  const first = claim === undefined ? 1 : 2;
  const begun = rowsOf(answers[0])[0];
  const end = readEnd(answers.at(-1));
  database.seen?.(companyId, end.epoch, end.head, ctx.now());
  return {
    ...end,
    base: Number(begun?.revision),
    results: answers.slice(first, first + own.length),
    replay: null,
  };
}

export const endWrite: SQL = sql`select * from app.end_write()`;

/** Reads what `app.end_write()` answered. */
export function readEnd(answer: unknown): { epoch: string; head: number; changes: Change[] } {
  const rows = rowsOf(answer);
  const first = rows[0];
  // No AppError: the write is committed.
  if (first === undefined) throw new Error('app.end_write() answered no row');
  return {
    epoch: String(first.epoch),
    head: Number(first.head),
    changes: rows.filter((row) => row.revision !== null).map(readChange),
  };
}

/** A row of `changes` as the driver gives it, typed. */
export function readChange(row: Row): Change {
  return {
    revision: Number(row.revision),
    entity: String(row.entity),
    entityId: String(row.entity_id),
    operation: row.operation as Change['operation'],
    schemaVersion: Number(row.schema_version),
    before: imageOf(row.before),
    after: imageOf(row.after),
    actor: String(row.actor),
    requestId: row.request_id as string | null,
    changedAt: String(row.changed_at),
  };
}

/** Images in pieces of the log come as the text they were measured as. */
const imageOf = (image: unknown): Row | null => (typeof image === 'string' ? JSON.parse(image) : image) as Row | null;

/**
 * Bytes of rows in one ordinary answer of Postgres, written as text; as JSON of JSON they are at most twice as many. Far below
 * the 10 MiB of the proxy, because an isolate has many answers in hand at a time.
 */
export const PIECE = 1024 * 1024;

/**
 * The log after `after`, at most `limit` revisions and as many as fit into one answer, one at least: for the relay, `/events`
 * and audit. `entities` and `entityId` narrow it.
 */
export function changesAfter(
  after: number,
  limit: number,
  narrowed: { entities?: readonly string[]; entityId?: string | null } = {},
): SQL {
  const { entities = null, entityId = null } = narrowed;
  const named = entities === null ? sql`null` : sql.param([...entities]);
  return sql`select * from app.changes_after(${after}, ${named}::text[], ${entityId}::uuid, ${limit}, ${PIECE})`;
}

export function rowsOf(answer: unknown): Row[] {
  return (answer as { rows: Row[] }).rows;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
