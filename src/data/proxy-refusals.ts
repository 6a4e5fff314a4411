import { AppError } from '../core/errors.ts';
import type { NeonDbError } from './neon.ts';
import { unavailable } from './postgres.ts';

/** How the driver words every status but 400; the answer's text follows. */
const WORDED = /^Server error \(HTTP status (\d{3})\): /;

/**
 * What the SQL proxy refused before or instead of a commit, told apart from an outcome that is not known: a request (413) or
 * an answer (507) above its limits, and a refusal of Postgres at connect, which is a 500 that names a state. Nothing was
 * changed then, and none of it says that Postgres is down. Null for anything else.
 */
export function refusedByProxy(error: NeonDbError): AppError | null {
  const found = WORDED.exec(error.message);
  if (found === null) return null;
  const [words, status] = found;
  if (status === '413' || status === '507')
    return new AppError('internal_error', 'This is more than the database takes in one piece. Nothing was changed.', {
      cause: error,
    });
  const state = status === '500' ? stateOf(error.message.slice(words.length)) : null;
  if (state === null) return null;
  // No place left: it is there, and other callers' work goes on.
  if (state.startsWith('53'))
    return new AppError('busy', 'The database is busy. Nothing was changed; try again.', {
      extra: { retryAfter: 1 },
      cause: error,
    });
  return unavailable(error, false);
}

function stateOf(text: string): string | null {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
  } catch {
    return null;
  }
}
