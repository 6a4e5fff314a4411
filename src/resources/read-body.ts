import { AppError } from '../core/errors.ts';
import { overLimit } from '../http/admission.ts';
import { readJson } from '../http/body.ts';
import type { AppContext } from '../http/context.ts';
import { turnToRead, unitsToRead } from './reading.ts';

/**
 * The body of a verb that takes no query parameters, unvalidated. A large one, or one of many items, waits for its turn.
 * @param units of reading that it takes at least
 * @throws AppError rate_limited, payload_too_large, busy, unsupported_media_type, then malformed_json, unknown_parameter
 */
export async function readBody(c: AppContext, units = 0): Promise<unknown> {
  // 429 before the wait for a turn, as everywhere.
  refuseOverLimit(c);
  const { principal } = c.env.state;
  const value = await readJson(c, async (bytes) => {
    const weight = Math.max(units, unitsToRead(bytes));
    // Of callers nobody knows so little is read that it is no matter.
    if (weight > 0 && principal?.proven === true) await turnToRead(c.env, principal.companyId, weight);
  });
  refuseParameters(c);
  return value;
}

/**
 * For before any work on a body. Whoever admits the caller says how long to wait.
 * @throws AppError rate_limited
 */
function refuseOverLimit(c: AppContext): void {
  if (overLimit(c)) throw new AppError('rate_limited', undefined, { extra: { retryAfter: 1 } });
}

/** @throws AppError unknown_parameter */
export function refuseParameters(c: AppContext): void {
  if (!c.req.url.includes('?')) return;
  const names = [...new URL(c.req.url).searchParams.keys()];
  if (names.length === 0) return;
  const faults = names.map((parameter) => ({
    parameter,
    code: 'unknown_parameter',
    detail: 'This takes no query parameters.',
  }));
  throw new AppError('unknown_parameter', 'This takes no query parameters.', { faults });
}
