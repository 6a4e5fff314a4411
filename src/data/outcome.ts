import { AppError } from '../core/errors.ts';
import { NeonDbError } from './neon.ts';

/**
 * Whether this leaves open what became of the transaction. An ERROR of Postgres ends it before its commit record; but a
 * backend that is told to end while its commit is flushed finishes the commit and says 57P01 all the same, and a proxy
 * whose connection broke answers without a state, or with an empty one.
 */
export function leavesOpen({ code, severity, message }: NeonDbError): boolean {
  if (code === undefined || code === '') return true;
  // statement_timeout is switched off before a COMMIT does its work, so its own words come from an ordinary statement. A
  // cancel by somebody else may strike at any moment.
  if (code === '57014') return message !== 'canceling statement due to statement timeout';
  // Connections (08), "completion unknown", a server that goes away (57P).
  if (code.startsWith('08') || code.startsWith('57P') || code === '40003') return true;
  // "No place left" is said to who connects, never to who is connected.
  return (severity === 'FATAL' && code !== '53300') || severity === 'PANIC';
}

/** Whether a connection was ended from the server's side, as in a failover: the next one may be well. */
export function endedByServer(error: unknown): boolean {
  if (!(error instanceof AppError && error.cause instanceof NeonDbError)) return false;
  return error.cause.code === '57P01' || error.cause.code === '57P02';
}

/** Whether a write that ended with this may be stored all the same. A fault of ours after the commit is no AppError. */
export const mayBeStored = (error: unknown): boolean =>
  !(error instanceof AppError) || (error.code === 'database_unavailable' && error.extra.sent !== false);

export const isDown = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === 'database_unavailable';

/** The way on from an outcome that is not known. */
const ONWARD = {
  keyed: 'Repeat it with the same Idempotency-Key, and it is done once.',
  keyless: 'Look before you repeat it; a POST with an Idempotency-Key can be repeated at any time.',
  signIn: 'Try again.',
} as const;

/** What the caller of a write is told when the database went away under it, or was never asked. */
export function writeFailure(cause: AppError, onward: keyof typeof ONWARD): AppError {
  if (!mayBeStored(cause)) {
    const detail = 'The database cannot be reached. Nothing was changed; try again.';
    return new AppError(cause.code, detail, { extra: cause.extra, cause: cause.cause });
  }
  const detail = `Whether this was done is not known: the database did not say. ${ONWARD[onward]}`;
  return new AppError(cause.code, detail, { extra: { retryAfter: 2, outcome: 'unknown' }, cause: cause.cause });
}
