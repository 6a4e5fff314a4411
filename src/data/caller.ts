import { type SQL, sql } from 'drizzle-orm';
import type { Ctx } from './ctx.ts';
import type { Pipeline } from './upstash.ts';

/**
 * What must be known of a caller before an answer: that the credential lives and the rate limit holds. It adds its
 * commands to whatever trips the request makes anyway, and needs none of its own while it knows enough.
 */
export type Admission = {
  /** Whether it can decide without Redis now. */
  ready(now: number): boolean;
  ask(pipeline: Pipeline, now: number): void;
  /** The answers to its own commands, in order. Throws when they have another shape. */
  learn(answers: readonly unknown[], now: number): void;
  /**
   * Whether the caller is known to be admitted; false means that only Postgres can tell whether the credential lives.
   * @throws AppError session_revoked, rate_limited, forbidden
   */
  decide(ctx: Ctx): boolean;
  /** Asks Postgres whether the credential lives, as one more statement of a snapshot of the company. */
  credentialQuery(): SQL;
  /**
   * While Postgres cannot be asked: whether what Redis said of the credential lets its reader go on with what is cached.
   * Never without an answer of Redis.
   */
  excused(): boolean;
  /** Reads the rows of `credentialQuery`. @throws AppError session_revoked */
  settleCredential(ctx: Ctx, rows: readonly unknown[]): void;
};

/** Of work that was admitted when it was asked for, or that nobody asked for; a credential is checked by every `begin_write`. */
export const ADMITTED: Admission = {
  ready: () => true,
  ask: () => undefined,
  learn: () => undefined,
  decide: () => true,
  excused: () => false,
  credentialQuery: () => sql`select 1`,
  settleCredential: () => undefined,
};
