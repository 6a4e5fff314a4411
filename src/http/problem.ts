import { HTTPException } from 'hono/http-exception';
import { AppError, ERROR_CODES } from '../core/errors.ts';
import type { AppContext } from './context.ts';
import { logFault } from './fault.ts';
import { FaultRoom } from './faults.ts';
import { send } from './send.ts';

/** The page of codes that every deployment serves; the fragment is the stable code itself. */
export const PROBLEM_PAGE = '/docs#';

/** Turns whatever was thrown into one problem document (RFC 9457). Faults of our own say nothing but the request id. */
export function problem(c: AppContext, thrown: unknown): Response {
  const error = toAppError(thrown);
  const { status } = ERROR_CODES[error.code];
  const { ctx } = c.env;
  ctx.note('code', error.code);
  if (status >= 500) logFault(ctx.requestId, error);
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  const retryAfter = error.extra.retryAfter;
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter);
  if (error.extra.allow !== undefined) headers.Allow = String(error.extra.allow);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer realm="clientsplus"';
  const body = {
    ...saidOf(error),
    // As it was sent: decoded it need not be a URI reference.
    instance: new URL(c.req.url).pathname,
    requestId: ctx.requestId,
    ...new FaultRoom().list(error),
    ...publicExtra(error.extra),
  };
  return send(c, { status, body: JSON.stringify(body), type: 'application/problem+json', headers });
}

/** What a bulk says of one item, apart from its faults. */
export const problemOf = (error: AppError) => ({ ...saidOf(error), ...publicExtra(error.extra) });

/** The part of a problem document that says what is wrong. */
function saidOf(error: AppError) {
  const { status, title } = ERROR_CODES[error.code];
  return {
    type: `${PROBLEM_PAGE}${error.code}`,
    title,
    status,
    code: error.code,
    detail: status === 500 ? 'The fault is ours and was logged. Quote the request id.' : error.message,
  };
}

export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  // Hono refuses a path it cannot decode this way.
  if (thrown instanceof HTTPException && thrown.status < 500) return new AppError('not_found');
  return new AppError('internal_error', undefined, { cause: thrown });
}

function publicExtra(extra: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { retryAfter: _retryAfter, allow: _allow, sent: _sent, errorsOmitted: _omitted, ...rest } = extra;
  return rest;
}
