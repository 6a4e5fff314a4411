import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import type { Ctx } from './ctx.ts';
import { endedByServer, writeFailure } from './outcome.ts';
import type { Database } from './postgres.ts';
import { Replay, type StoredAnswer } from './postgres-errors.ts';
import { bytea, last, type RowsOf } from './query.ts';

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

/**
 * "None of these was touched after `since`": what a plan made from a snapshot rests on. Of an entity: all (null), some by id, or
 * those that had or have one of these values in a field, named as the row names it (`{'time-off': {staff_id: […]}}`).
 */
export type Guard = { since: number; entities: Readonly<Record<string, Guarded>> };
export type Guarded = readonly string[] | Readonly<Record<string, readonly string[]>> | null;

/** A claimed Idempotency-Key and how to store its answer. */
export type Claim = { route: string; key: string; fingerprint: Uint8Array };

/** The answer to keep with a claimed key. `result` is jsonb: what the log cannot say, and nothing personal. */
export type Kept = { status: number; entityId: string | null; result?: SQL };

export type Snapshot<Q extends readonly SQL[] = readonly SQL[]> = {
  epoch: string;
  revision: number;
  rows: RowsOf<Q>;
};
export type Committed<Q extends readonly SQL[] = readonly SQL[]> = {
  epoch: string;
  base: number;
  head: number;
  changes: Change[];
  /** None of a replay, which ran no statement. */
  rows: RowsOf<Q>;
  replay: StoredAnswer | null;
};

/** Whose read of what; `name` is for the slow-query log. */
export type ReadCall = { database: Database; companyId: string; name: string; isHeavy?: boolean };

/**
 * The one way to read: one round trip, REPEATABLE READ, revision and rows from one snapshot (R2).
 * @throws AppError database_unavailable, busy, unauthenticated (no such company)
 */
export async function snapshot<const Q extends readonly SQL[]>(
  ctx: Ctx,
  { database, companyId, name, isHeavy = false }: ReadCall,
  queries: Q,
): Promise<Snapshot<Q>> {
  const begin = sql<Begun>`select epoch, revision from app.begin_read(${companyId}::uuid)`;
  const run = () => database.batch(ctx, { name, companyId, isHeavy }, [begin, ...queries] as const);
  const [[head], ...rows] = await run().catch((error: unknown) => {
    // A pool hands out connections that a failover has ended; a read may be repeated as it is.
    if (!endedByServer(error)) throw error;
    return run();
  });
  if (head === undefined) throw new AppError('unauthenticated');
  const revision = Number(head.revision);
  database.seen?.(companyId, head.epoch, revision, ctx.now());
  return { epoch: head.epoch, revision, rows };
}

/** Whose write of what, what it rests on, and how a repeat of it is known and answered. */
export type WriteCall = ReadCall & {
  writer: Writer;
  guard?: Guard | undefined;
  claim?: Claim | undefined;
  kept?: Kept;
};

/**
 * The one way to write: one round trip, one transaction that starts by locking the company's head (R1) and ends by
 * reading back every row it logged. A repeated Idempotency-Key answers `replay` and changes nothing.
 * @throws AppError as `mapPostgresError` says; nothing was changed then, unless `mayBeStored` says that it is not known
 */
export async function commit<const Q extends readonly SQL[]>(
  ctx: Ctx,
  { database, companyId, writer, name, guard, claim, kept }: WriteCall,
  queries: Q,
): Promise<Committed<Q>> {
  const guarded = guard === undefined ? null : JSON.stringify(guard);
  const begin = sql<Begun>`select epoch, revision from app.begin_write(${companyId}::uuid, ${writer.actor}, ${ctx.requestId}, ${JSON.stringify(writer.credential)}::jsonb, ${guarded}::jsonb)`;
  const statements = [begin, ...claiming(claim), ...queries, ...storing(claim, kept), endWrite] as const;
  try {
    const answers = await database.batch(ctx, { name, companyId }, statements);
    const [[begun]] = answers;
    const end = readEnd(last(answers));
    database.seen?.(companyId, end.epoch, end.head, ctx.now());
    const first = claim === undefined ? 1 : 2;
    const rows = answers.slice(first, first + queries.length) as RowsOf<Q>;
    return { ...end, base: Number(begun?.revision), rows, replay: null };
  } catch (error) {
    if (error instanceof AppError && error.code === 'database_unavailable')
      throw writeFailure(error, claim === undefined ? 'keyless' : 'keyed');
    if (!(error instanceof Replay)) throw error;
    const { answer } = error;
    const rows = queries.map((): never[] => []) as RowsOf<Q>;
    return { epoch: '', base: answer.revision, head: answer.revision, changes: [], rows, replay: answer };
  }
}

const claiming = (claim: Claim | undefined): SQL[] =>
  claim === undefined ? [] : [sql`select app.claim_key(${claim.route}, ${claim.key}, ${bytea(claim.fingerprint)})`];

function storing(claim: Claim | undefined, kept: Kept = { status: 200, entityId: null }): SQL[] {
  if (claim === undefined) return [];
  const { status, entityId, result = sql`null` } = kept;
  return [sql`select app.store_answer(${claim.route}, ${claim.key}, ${status}, ${entityId}::uuid, (${result})::jsonb)`];
}

type Begun = { epoch: string; revision: string };

/** A row of `changes` as the driver gives it. */
export type ChangeRow = {
  revision: string | number;
  entity: string;
  entity_id: string;
  operation: Change['operation'];
  schema_version: number;
  /** Images in pieces of the log come as the text they were measured as. */
  before: Row | string | null;
  after: Row | string | null;
  actor: string;
  request_id: string | null;
  changed_at: string;
};

/** One row per change, or a single one without any. */
type EndRow = { epoch: string; head: string } & (ChangeRow | { revision: null });

export const endWrite = sql<EndRow>`select * from app.end_write()`;

/** Reads what `app.end_write()` answered. */
export function readEnd(rows: readonly EndRow[]): { epoch: string; head: number; changes: Change[] } {
  const [first] = rows;
  // No AppError: the write is committed.
  if (first === undefined) throw new Error('app.end_write() answered no row');
  const changes = rows.flatMap((row) => (row.revision === null ? [] : [readChange(row)]));
  return { epoch: first.epoch, head: Number(first.head), changes };
}

export const readChange = (row: ChangeRow): Change => ({
  revision: Number(row.revision),
  entity: row.entity,
  entityId: row.entity_id,
  operation: row.operation,
  schemaVersion: row.schema_version,
  before: imageOf(row.before),
  after: imageOf(row.after),
  actor: row.actor,
  requestId: row.request_id,
  changedAt: row.changed_at,
});

const imageOf = (image: Row | string | null): Row | null => (typeof image === 'string' ? JSON.parse(image) : image);

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
): SQL<ChangeRow> {
  const { entities = null, entityId = null } = narrowed;
  const named = entities === null ? sql`null` : sql.param([...entities]);
  return sql<ChangeRow>`select * from app.changes_after(${after}, ${named}::text[], ${entityId}::uuid, ${limit}, ${PIECE})`;
}
