import type { SQL } from 'drizzle-orm';
import type { Context } from 'hono';
import { AppError } from '../core/errors.ts';
import type { Grant } from '../core/ticket.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { Writer } from '../data/log.ts';
import type { Pipeline } from '../data/upstash.ts';
import type { Env } from '../env.ts';

/** Whether a credential still lives. A session or key that ended stops reads within 60 s and writes at once. */
export type CredentialCheck = {
  /** Whether the last check is young enough to go without asking. */
  known(now: number): boolean;
  /** Adds exactly one command, whose answer `learn` reads. */
  ask(pipeline: Pipeline): void;
  learn(answer: unknown, now: number): void;
  /** Whether an answer that tells nothing of a living credential is at least not that of an ended one. */
  excuses?(answer: unknown): boolean;
  /** Called when only Postgres can tell. @throws AppError rate_limited */
  beforeAsking?(): void;
  /** Runs first in its snapshot. May raise, so that nothing after it runs. */
  statement(): SQL;
  /** @throws AppError session_revoked, token_expired */
  settle(ctx: Ctx, deps: Deps, rows: readonly unknown[]): void;
};

/** Whoever calls: a signed-in user or an API key. */
export type Principal = {
  readonly companyId: string;
  /** As the log writes it: `USER:<uuid>` or `API_KEY:<uuid>`. */
  readonly actor: string;
  /** The id of the session or key which is checked. */
  readonly credentialId: string;
  readonly userId: string | null;
  readonly role: string | null;
  readonly credential: CredentialCheck;
  /** False for an API key until memory, Redis or Postgres has vouched for it: till then it has only claimed what it is. */
  readonly proven: boolean;
  /** Gets itself vouched for, where no read takes the question along. @throws AppError */
  prove?(): Promise<void>;
  /** What is left to do once the request is answered, or refused with `failure`. */
  answered?(failure: unknown): void;
  may(permission: string): boolean;
  /** All that may be seen, for whoever goes on listening after the request. */
  grant(): Grant;
  /** When the credential ends by itself, ms; null when it does not. */
  expiresAt(): number | null;
  /** Who writes, and what `begin_write` checks again for this permission. */
  writer(permission: string): Writer;
};

/** What a request collects on its way to the answer. */
export type RequestState = {
  principal: Principal | null;
  /** Units left and seconds until the window ends, once known. */
  rate: { limit: number; remaining: number; reset: number } | null;
  /** The route that took it, as declared: `/clients/:id`. */
  route: string;
};

/**
 * One request on its way: what a handler finds as `c.env`. It takes the place of Hono's variables, which are collected anew at
 * every look at them.
 */
export type Call = {
  readonly ctx: Ctx;
  readonly deps: Deps;
  readonly state: RequestState;
  /** What the platform bound to the Worker. */
  readonly bindings: Env;
};

export type AppEnv = { Bindings: Call };
export type AppContext = Context<AppEnv>;

/** The caller of a route behind `authenticated`, who is who they say. */
export function principalOf(c: AppContext): Principal {
  const principal = claimantOf(c);
  if (!principal.proven) throw new AppError('unauthenticated');
  return principal;
}

/** The caller, perhaps yet unproven: for admission and reads, which ask on their own trips and give nothing away before. */
export function claimantOf(c: AppContext): Principal {
  const { principal } = c.env.state;
  if (principal === null) throw new AppError('unauthenticated');
  return principal;
}

/** @throws AppError forbidden, naming the permission */
export function require(principal: Principal, permission: string): void {
  if (!principal.may(permission)) throw new AppError('forbidden', `This needs the permission ${permission}.`);
}
