import type { SQL } from 'drizzle-orm';
import { AppError, ERROR_CODES } from '../core/errors.ts';
import { parseMinRevision } from '../core/revision.ts';
import { admit, settledSnapshot } from '../data/admit.ts';
import type { Admission } from '../data/caller.ts';
import type { Ctx } from '../data/ctx.ts';
import type { ReadCall, Snapshot } from '../data/log.ts';
import type { Head } from '../data/readings.ts';
import { admissionOf } from '../http/admission.ts';
import { type AppContext, claimantOf } from '../http/context.ts';

// The order of a request's checks (contract-details A2), told once: 401 · 429 · 413/415 · 400 · 403 · 404 · 422. What
// comes after, 412 and 409, is for the transaction to say.

/** What a request needs and costs. `permission`: null when any role or key may; `weight`: units of the rate limit. */
export type Terms = { permission: string | null; weight: number };

/**
 * A request to read whose caller is admitted, and what it asks; `min` is the least revision it wants to see.
 * @throws AppError in the order above, as far as 403
 */
export async function admitted<T>(c: AppContext, terms: Terms, parse: () => T): Promise<{ min: number; query: T }> {
  let asked: { min: number; query: T };
  try {
    asked = { min: parseMinRevision(c.req.header('Min-Revision')), query: parse() };
  } catch (error) {
    return refuse(c, terms.weight, error);
  }
  await settled(c, terms);
  return asked;
}

/** @throws AppError revision_ahead */
export function reached(revision: number, min: number): void {
  if (revision < min)
    throw new AppError('revision_ahead', `The company is at revision ${revision}.`, { extra: { revision } });
}

/** How a write is read and judged: `read` says 413, 415 and 400, `exists` 404, `judge` 422. */
export type Steps<R, B> = {
  read(): Promise<R> | R;
  exists?: (() => Promise<void>) | undefined;
  judge(raw: R): Promise<B> | B;
};

/**
 * A request to write, as far as 422. Its admission goes along with the transaction, which asks whether the credential lives.
 * @throws AppError in the order above
 */
export async function submitted<R, B>(
  c: AppContext,
  terms: Terms,
  { read, exists, judge }: Steps<R, B>,
): Promise<{ raw: R; body: B; admission: Admission }> {
  let raw: R;
  try {
    raw = await read();
  } catch (error) {
    return refuse(c, terms.weight, error);
  }
  const admission = admissionOf(c, terms, 'write');
  try {
    return { raw, body: await judge(raw), admission };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await admit(c.env, admission);
    await exists?.();
    throw error;
  }
}

/** Throws what is wrong with a request, whose caller and cost come first all the same. */
export async function refuse(c: AppContext, weight: number, error: unknown): Promise<never> {
  if (isRefusal(error)) await settled(c, { permission: null, weight });
  throw error;
}

const isRefusal = (error: unknown): boolean => error instanceof AppError && ERROR_CODES[error.code].status < 500;

/** Decides on the caller; Postgres is asked for the credential where nothing else takes the question along. */
async function settled(c: AppContext, terms: Terms): Promise<void> {
  const admission = admissionOf(c, terms, 'read');
  if (!(await admit(c.env, admission))) await headOf(c, admission);
}

/** Where the company is, and for an unsure caller whether the credential lives. @throws AppError session_revoked */
export async function headOf(c: AppContext, unsure: Admission | null): Promise<Head> {
  const { ctx, deps } = c.env;
  const call = { database: deps.read, companyId: claimantOf(c).companyId, name: 'head' };
  const { epoch, revision } = await settledSnapshot(ctx, call, unsure, []);
  return { epoch, revision };
}

/**
 * A read that an admitted request makes later: an export or a poll may go on for longer than what was known of its caller holds, so
 * each of these asks in its trip whether the credential still lives. @throws AppError session_revoked, token_expired, unauthenticated
 */
export function laterSnapshot<const Q extends readonly SQL[]>(
  c: AppContext,
  call: ReadCall,
  queries: Q,
): Promise<Snapshot<Q>> {
  const { ctx, deps } = c.env;
  const { credential } = claimantOf(c);
  const unsure = {
    credentialQuery: () => credential.statement(),
    settleCredential: (at: Ctx, rows: readonly unknown[]) => credential.settle(at, deps, rows),
  };
  return settledSnapshot(ctx, call, unsure, queries);
}
