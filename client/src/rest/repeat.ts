import { ConnectionError, ProblemError } from './errors.ts';

/** Mostly answers with a secret, which the server does not keep for a second telling: a key is no use there. */
const KEYLESS =
  /^\/(auth\/.*|api-keys|realtime\/tickets|alerts|webhooks|webhooks\/[^/]+\/(rotate|ping)|users\/[^/]+\/invite|imports\/[^/]+\/cancel|(staff|branches)\/[^/]+\/calendar)$/;

/** Whether an Idempotency-Key makes this safe to send twice. */
export const takesKey = (method: string, path: string): boolean => method === 'post' && !KEYLESS.test(path);

const MOST_REPEATS = 4;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 8000;
/** Whoever is told to wait longer than this is told so, and not kept. */
const LONGEST_WAIT = 60_000;

/**
 * How long to wait before the same request is sent again, ms; null: not again. What was surely not done is repeated whatever
 * it is, what may have been done only where it then has one effect.
 * @param repeats how often it was sent again before
 * @param harmless whether being done twice is as good as once
 */
export function pauseBefore(error: unknown, repeats: number, harmless: boolean, random: number): number | null {
  if (repeats >= MOST_REPEATS) return null;
  const jitter = random * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** repeats);
  if (error instanceof ConnectionError) return harmless && error.code !== 'offline' ? jitter : null;
  if (!(error instanceof ProblemError)) return null;
  const { status, problem, retryAfter } = error;
  const undone = status === 429 || (status === 503 && problem !== null && problem.outcome !== 'unknown');
  if (!undone && !(harmless && [502, 503, 504].includes(status))) return null;
  if (retryAfter !== null && retryAfter > LONGEST_WAIT) return null;
  return (retryAfter ?? 0) + jitter;
}
