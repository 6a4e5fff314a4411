import type { ErrorCode, Problem } from '../api.ts';

/** The server refused: `code` is the stable part, `problem` all it said (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: ErrorCode | 'unexpected_answer';
  /** Null where the answer came from something else than the API, such as a proxy. */
  readonly problem: Problem | null;
  /** When to try again, ms; null where it was not said. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem | null, retryAfter: number | null) {
    super(problem?.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem?.code ?? 'unexpected_answer';
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

const SAID = {
  offline: 'There is no network. Nothing was sent.',
  unreachable: 'The server cannot be reached.',
  timeout: 'The server did not answer in time.',
} as const;

/** No answer came. Whether a write was done is known for `offline` only: it was not sent. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: keyof typeof SAID;

  constructor(code: keyof typeof SAID, cause?: unknown) {
    super(SAID[code], { cause });
    this.code = code;
  }
}
