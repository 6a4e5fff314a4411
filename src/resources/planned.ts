import { type SQL, sql } from 'drizzle-orm';
import { AppError, ERROR_CODES } from '../core/errors.ts';
import { admit, settledSnapshot } from '../data/admit.ts';
import { alone } from '../data/alone.ts';
import type { Admission } from '../data/caller.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Work } from '../data/deps.ts';
import type { Guard, Snapshot } from '../data/log.ts';
import type { Registry } from '../data/registry.ts';
import { crowded, Overtaken } from '../data/rooms.ts';
import type { FreshTags } from '../data/tags.ts';
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
  /** What it takes and only one can have: a name of just this, and marks that whoever takes some of it takes (LoggedEntity). */
  contested?: { name: string; marks: readonly string[] } | undefined;
  /** A refusal of these statements, with what else there is to say of it. */
  explain?(error: AppError): AppError | Promise<AppError>;
};

/** An answer without a write. */
export type Told = { told: Record<string, unknown>; revision: number };

/** Reads for a plan: one trip, one snapshot. */
export type Look = {
  <const Q extends readonly SQL[]>(queries: Q): Promise<Snapshot<Q>>;
  /** For plans from what this isolate remembers. */
  readonly recall?: Recall;
};

type Recall = {
  readonly ctx: Ctx;
  readonly registry: Registry;
  /** Of which moment a plan must be at least, ms: when the request came, or when it was planned last. */
  since: number;
  /** Whether the caller is known to live: whoever may have been signed out is told nothing of what is remembered. */
  isSure(): boolean;
  /**
   * What Redis says of these tags, asked no earlier than `since`: so it knows of every write that was answered before. Null: ask
   * Postgres.
   */
  reading(tags: readonly string[], since: number): Promise<FreshTags | null>;
};

/** Admits the caller, and reads for them; Postgres is asked for the credential with the first look, where nobody else knows. */
export async function lookOf(c: AppContext, admission: Admission, name: string): Promise<Look> {
  const { ctx, deps } = c.env;
  const { companyId } = principalOf(c);
  const call = { database: deps.read, companyId, name };
  let sure = await admit(c.env, admission);
  const look = async <const Q extends readonly SQL[]>(queries: Q): Promise<Snapshot<Q>> => {
    const found = await settledSnapshot(ctx, call, sure ? null : admission, queries);
    sure = true;
    return found;
  };
  const recall: Recall = {
    ctx,
    registry: deps.registry,
    since: ctx.startedAt,
    isSure: () => sure,
    reading: async (tags, since) => (sure ? deps.cache.reading(ctx, { companyId, tags, since }, admission) : null),
  };
  return Object.assign(look, { recall });
}

/** How often one write is planned while others come first. */
const MOST_PLANS = 10;

/** How a plan is made and carried out. */
type Carrying<C> = {
  work: Work;
  companyId: string;
  /** How it looks, once it has to. */
  look(): Promise<Look>;
  make(): Promise<Plan>;
  write(plan: Plan): Promise<C>;
  /** What is to be known before a refusal of the plan counts: whether the request's key was answered (422 and 409), and the version (409). */
  first: { answered: SQL | null; expects: readonly SQL[] };
};

/**
 * Plans, and writes if what the plan rests on has not changed meanwhile; once more if it has. Where only one can have what is
 * planned, whoever had to wait plans again before they write: most of many are told without a turn to write.
 * @throws AppError what the plan or the database refuses; conflict when others were faster twice
 */
export async function carryOut<C>(carrying: Carrying<C>): Promise<C> {
  const { work, companyId, make, write } = carrying;
  const { ctx, deps } = work;
  const until = ctx.now() + deps.settings.databaseAcquireTimeout;
  for (let tries = 1, plans = 1; ; plans += 1) {
    if (plans > 1) {
      const { recall } = await carrying.look();
      if (recall !== undefined) recall.since = ctx.now();
    }
    let plan: Plan;
    try {
      plan = await make();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return await unlessKnown(error, carrying);
    }
    const { contested } = plan;
    const leave = contested === undefined ? () => undefined : await alone(ctx, `${companyId} ${contested.name}`, until);
    if (leave === null) continue;
    try {
      return await write(plan);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Somebody else took some of it while it waited for its turn.
      if (error instanceof Overtaken) {
        if (plans < MOST_PLANS) continue;
        throw crowded(0);
      }
      const isStale = error.code === 'snapshot_conflict' || plan.isStale?.(error) === true;
      if (!isStale) throw (await plan.explain?.(error)) ?? error;
      if (tries === 2)
        throw new AppError('conflict', 'What this rests on is being changed by others. Try again.', { cause: error });
      tries += 1;
    } finally {
      leave();
    }
  }
}

/** A refused plan, unless a repeat of an answered request (contract-details A8) or another version (412 comes before 409) says more. */
async function unlessKnown<C>(refusal: AppError, { look, write, first }: Carrying<C>): Promise<C> {
  const { status } = ERROR_CODES[refusal.code];
  const { answered } = first;
  const checks = status === 409 ? first.expects : [];
  if (status >= 500 || (answered === null && checks.length === 0)) throw refusal;
  // Read, because a refusal needs no turn to write.
  const { rows } = await (await look())(answered === null ? checks : [answered, ...checks]);
  if (answered === null || rows[0]?.length === 0) throw refusal;
  try {
    return await write({ statements: [...checks, sql`select app.refuse(true, 'conflict')`] });
  } catch (error) {
    throw error instanceof AppError && error.code === 'conflict' ? refusal : error;
  }
}
