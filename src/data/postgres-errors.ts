import { AppError, ERROR_CODES, type ErrorCode } from '../core/errors.ts';
import { formatId, type Prefix } from '../core/id.ts';
import { NeonDbError } from './neon.ts';
import { leavesOpen } from './outcome.ts';
import { unavailable } from './postgres.ts';
import { refusedByProxy } from './proxy-refusals.ts';

/** The answer of a repeated Idempotency-Key, as `app.claim_key` raises it. */
export type StoredAnswer = {
  status: number;
  revision: number;
  entityId: string | null;
  result: unknown;
  image: { schemaVersion: number; entity: string; row: Record<string, unknown> } | null;
};

/** Raised inside a write whose key was used before; it carries the stored answer instead of an error. */
export class Replay extends Error {
  readonly answer: StoredAnswer;
  constructor(answer: StoredAnswer) {
    super('replay');
    this.answer = answer;
  }
}

/** What a violated constraint means to the caller; resources say theirs. */
export type ConstraintMeaning = { code: ErrorCode; pointer?: string | readonly string[]; detail: string };

const byState: Record<string, [ErrorCode, string]> = {
  CP401: ['session_revoked', 'This session or key has ended. Sign in again.'],
  CP403: ['forbidden', 'Your role does not allow this.'],
  CP404: ['unauthenticated', 'The token or key is not valid.'],
  CP409: ['snapshot_conflict', 'What this was planned from has just changed. Try again.'],
  CP422: ['idempotency_key_reused', 'This Idempotency-Key was used with another body.'],
  '40001': ['conflict', 'Another write got in between. Try again.'],
  '40P01': ['conflict', 'Another write got in between. Try again.'],
  '23503': ['unknown_reference', 'A referenced object does not exist.'],
  '23505': ['duplicate', 'An object with this value exists already.'],
  '23514': ['invalid_body', 'A value breaks a rule of this object.'],
};

/** States that mean "try again soon", and that nothing was done: lock_timeout, statement_timeout, too many connections. */
const busy = new Set(['55P03', '57014', '53300', '53400']);

/** Maps whatever a batch threw to an AppError or a Replay. Never carries SQL, a driver's text or a value. */
export function mapPostgresError(
  error: unknown,
  constraints: Readonly<Record<string, ConstraintMeaning>>,
): AppError | Replay {
  if (error instanceof AppError) return error;
  // No answer of the proxy at all, or none that could be read.
  if (!(error instanceof NeonDbError)) return unavailable(error);
  const refused = refusedByProxy(error);
  if (refused !== null) return refused;
  if (leavesOpen(error)) return unavailable(error);
  const state = error.code ?? '';
  // Raised by app.refuse(): the message is one of our codes.
  if (state === 'CP400') return refusal(error.message, error.detail ?? null, error);
  // Not in `detail`, which Postgres writes to its log: the answer holds a row.
  if (state === 'CP200') return new Replay(JSON.parse(error.column ?? 'null') as StoredAnswer);
  if (state === 'CP207') return bulkRefusal(JSON.parse(error.detail ?? '[]') as RowFault[], constraints);
  return errorOfState(state, error.constraint, constraints, error);
}

/** One row that the database refused, as `app.bulk_insert` reports it. */
export type RowFault = {
  index: number;
  state: string;
  constraint: string | null;
  /** What `app.refuse()` said, where the state is CP400. */
  message?: string | null;
  detail?: string | null;
};

/** What the refusal of one row means to the caller. */
export const rowError = (
  { state, constraint, message, detail }: RowFault,
  constraints: Readonly<Record<string, ConstraintMeaning>>,
): AppError =>
  state === 'CP400'
    ? refusal(message ?? '', detail ?? null)
    : errorOfState(state, constraint ?? undefined, constraints, undefined);

/** The refusal of an atomic bulk: the error all faults share, or `invalid_body`; every fault points into its item. */
function bulkRefusal(rows: readonly RowFault[], constraints: Readonly<Record<string, ConstraintMeaning>>): AppError {
  const errors = [...rows].sort((a, b) => a.index - b.index).map((row) => ({ row, error: rowError(row, constraints) }));
  const faults = errors.flatMap(({ row, error }) => {
    const own = error.faults.length > 0 ? error.faults : [{ pointer: '', code: error.code, detail: error.message }];
    return own.map((fault) => ({ ...fault, pointer: `/items/${row.index}${fault.pointer ?? ''}` }));
  });
  const codes = new Set(errors.map(({ error }) => error.code));
  const code = codes.size === 1 ? errors[0]?.error.code : undefined;
  return new AppError(code ?? 'invalid_body', 'Nothing was stored; see errors.', { faults });
}

function errorOfState(
  state: string,
  constraint: string | undefined,
  constraints: Readonly<Record<string, ConstraintMeaning>>,
  cause: unknown,
): AppError {
  const meaning = constraint === undefined ? undefined : constraints[constraint];
  if (meaning !== undefined) {
    const { code, detail, pointer = [] } = meaning;
    const faults = [pointer].flat().map((each) => ({ pointer: each, code, detail }));
    return new AppError(code, detail, { faults, cause });
  }
  if (busy.has(state)) return tryAgain(cause);
  const known = byState[state];
  if (known !== undefined) return new AppError(known[0], known[1], { cause });
  // Class 22: a value Postgres cannot hold (NUL, out of range) that the schemas let through.
  if (state.startsWith('22')) return new AppError('invalid_body', 'A value cannot be stored.', { cause });
  return new AppError('internal_error', undefined, { cause });
}

const tryAgain = (cause: unknown): AppError =>
  new AppError('busy', 'The database is busy. Nothing was changed; try again.', { extra: { retryAfter: 1 }, cause });

/** What `app.refuse()` raised: one of our codes, and jsonb of what else there is to say. */
function refusal(message: string, said: string | null, cause?: unknown): AppError {
  const code = Object.hasOwn(ERROR_CODES, message) ? (message as ErrorCode) : 'internal_error';
  const { pointer, fault = code, detail = ERROR_CODES[code].title, ...more } = JSON.parse(said ?? '{}') as Said;
  const faults = pointer === undefined ? [] : [{ pointer, code: fault, detail }];
  const extra = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, shown(name, value)]));
  return new AppError(code, detail, { faults, extra, cause });
}

/** `fault`: what is wrong at the pointer, where that is told more closely. */
type Said = { pointer?: string; fault?: string; detail?: string; [member: string]: unknown };

/** Members of a refusal that are ids, as everybody outside knows them. */
const ID_MEMBERS: Readonly<Record<string, Prefix>> = {
  staffId: 'stf',
  resourceId: 'rsrc',
  conflictingAppointmentId: 'appt',
  conflictingInvoiceId: 'inv',
  mergedInto: 'clnt',
};

function shown(name: string, value: unknown): unknown {
  const prefix = Object.hasOwn(ID_MEMBERS, name) ? ID_MEMBERS[name] : undefined;
  return prefix === undefined ? value : formatId(prefix, String(value));
}
