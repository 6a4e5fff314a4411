import { type SQL, sql } from 'drizzle-orm';
import { AppError, ERROR_CODES } from '../core/errors.ts';
import { admit } from '../data/admit.ts';
import type { Admission } from '../data/caller.ts';
import { type Guard, type Snapshot, snapshot } from '../data/log.ts';
import { type AppContext, principalOf } from '../http/context.ts';

/** What a write does, worked out from what was read; `guard` says what of that must still be so. */
export type Plan = {
  statements: readonly SQL[];
  guard?: Guard | undefined;
  /** jsonb that the answer needs besides the object, where it follows from the plan. */
  extra?: SQL;
  /** In the place of any write: what is answered, as of which revision. */
  told?: Told;
  /** Whether a refusal of these statements only says that others were faster, so that looking again may help. */
  isStale?(error: AppError): boolean;
  /** A refusal of these statements, with what else there is to say of it. */
  explain?(error: AppError): AppError | Promise<AppError>;
};

/** An answer without a write. */
export type Told = { told: Record<string, unknown>; revision: number };

/** Reads for a plan: one trip, one snapshot. */
export type Look = <const Q extends readonly SQL[]>(queries: Q) => Promise<Snapshot<Q>>;

/** Admits the caller, and reads for them; Postgres is asked for the credential with the first look, where nobody else knows. */
export async function lookOf(c: AppContext, admission: Admission, name: string): Promise<Look> {
  const { ctx, deps } = c.env;
  const call = { database: deps.read, companyId: principalOf(c).companyId, name };
  let sure = await admit(c.env, admission);
  return async (queries) => {
    if (sure) return snapshot(ctx, call, queries);
    const { rows, ...at } = await snapshot(ctx, call, [admission.credentialQuery(), ...queries] as const);
    const [standing, ...results] = rows;
    admission.settleCredential(ctx, standing);
    sure = true;
    return { ...at, rows: results as never };
  };
}

/** How a plan is made and carried out. */
type Work<C> = {
  make(): Promise<Plan>;
  write(plan: Plan): Promise<C>;
  /** What the request wants to be known before a refusal of its plan counts: its key (422 and 409) and its version (409). */
  first: { isKeyed: boolean; expects: readonly SQL[] };
};

/**
 * Plans, and writes if what the plan rests on has not changed meanwhile; once more if it has.
 * @throws AppError what the plan or the database refuses; conflict when others were faster twice
 */
export async function carryOut<C>({ make, write, first }: Work<C>): Promise<C> {
  for (let tries = 1; ; tries += 1) {
    let plan: Plan;
    try {
      plan = await make();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return await unlessKnown(error, write, first);
    }
    try {
      return await write(plan);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const isStale = error.code === 'snapshot_conflict' || plan.isStale?.(error) === true;
      if (!isStale) throw (await plan.explain?.(error)) ?? error;
      if (tries === 2)
        throw new AppError('conflict', 'What this rests on is being changed by others. Try again.', { cause: error });
    }
  }
}

/** A refused plan, unless a repeat of an answered request (contract-details A8) or another version (412 comes before 409) says more. */
async function unlessKnown<C>(
  refusal: AppError,
  write: Work<C>['write'],
  { isKeyed, expects }: Work<C>['first'],
): Promise<C> {
  const { status } = ERROR_CODES[refusal.code];
  const checks = status === 409 ? expects : [];
  if (status >= 500 || (!isKeyed && checks.length === 0)) throw refusal;
  try {
    return await write({ statements: [...checks, sql`select app.refuse(true, 'conflict')`] });
  } catch (error) {
    throw error instanceof AppError && error.code === 'conflict' ? refusal : error;
  }
}
