import { type SQL, sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { tell } from '../data/redis.ts';
import { type Outcome, type Piece, type Pieces, workOff } from './pieces.ts';

/** At most once in this time, seconds. */
const EVERY = 3600;
/** How long a run works on one kind of thing, ms, and in how many pieces; the next minute's run goes on from there. */
const LONGEST = 15_000;
const MOST_PIECES = 40;

/** How far a pass over all companies has come, and whether it left something behind, so that another is due. */
type Place = { after: string | null; again: boolean };

type Forgotten = { forgotten: number; skipped: number };

/**
 * Forgets what has been kept long enough: changes older than the log's 90 days, import jobs a month after they ended, and
 * idempotency keys, sessions, one-time links and holds that have ended. Each kind in small pieces with a budget of its own, so that
 * none holds up the others; the companies in turn, so that a huge one starves nobody.
 * @returns how many rows went and how many pieces could not be done, or null when it was not yet time
 */
export async function retain(ctx: Ctx, deps: Deps): Promise<Forgotten | null> {
  const { redis } = deps;
  const marker = redis.key('retention');
  const placeKey = redis.key('retention', 'place');
  const due = await redis.trip(
    ctx,
    (p) => {
      p.set(marker, '1', { nx: true, ex: EVERY });
      p.get(placeKey);
    },
    ([set, text]) => ({ now: set === 'OK', place: readPlace(text) }),
  );
  // Without Redis nobody knows when it last ran; it is not urgent.
  if (due === null || !due.now) return null;
  const keep = (place: Place): Promise<unknown> =>
    tell(redis, ctx, (p) => p.set(placeKey, JSON.stringify(place), { ex: 7 * 24 * EVERY }));
  const all: Outcome[] = [];
  const failures: unknown[] = [];
  for (const work of [expired(ctx, deps), imports(ctx, deps), holds(ctx, deps), changes(ctx, deps, due.place, keep)]) {
    // A fault of one kind keeps no other from its turn.
    await workOff(work, budget(ctx)).then(
      (outcome) => all.push(outcome),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw failures[0];
  if (all.some(({ finished }) => !finished)) await tell(redis, ctx, (p) => p.del(marker));
  const sum = (count: (outcome: Outcome) => number): number => all.reduce((total, each) => total + count(each), 0);
  return { forgotten: sum(({ gone }) => gone), skipped: sum(({ skipped }) => skipped) };
}

function budget(ctx: Ctx): () => boolean {
  const until = ctx.now() + LONGEST;
  let pieces = MOST_PIECES;
  return () => {
    pieces -= 1;
    return pieces >= 0 && ctx.now() < until;
  };
}

function readPlace(text: unknown): Place {
  const { after, again } = (typeof text === 'string' ? JSON.parse(text) : {}) as Partial<Place>;
  return { after: after ?? null, again: again ?? false };
}

/** What the one row of an answer says. */
async function ask<R>(ctx: Ctx, deps: Deps, statement: SQL<R>): Promise<R> {
  const [[row]] = await deps.jobs.batch(ctx, { name: 'retention' }, [statement]);
  if (row === undefined) throw new Error('retention answered no row');
  return row;
}

/** @param trim says how many rows went, as `gone` */
const trimming = (
  ctx: Ctx,
  deps: Deps,
  most: number,
  least: number,
  trim: (size: number) => SQL<{ gone: string | number }>,
): Pieces => ({
  most,
  least,
  async piece(size) {
    const gone = Number((await ask(ctx, deps, trim(size))).gone);
    return { gone, more: gone >= size };
  },
});

const expired = (ctx: Ctx, deps: Deps): Pieces =>
  trimming(ctx, deps, 1000, 50, (size) => sql<{ gone: number }>`select app.trim_expired(${size}::int) as gone`);

/** Fewer at a time: each may hold a long report. */
const imports = (ctx: Ctx, deps: Deps): Pieces =>
  trimming(ctx, deps, 50, 1, (size) => sql<{ gone: number }>`select app.trim_imports(${size}::int) as gone`);

/** Holds whose time is over, which are in nobody's way: of one company at a time, until none has any. */
const holds = (ctx: Ctx, deps: Deps): Pieces => ({
  most: 200,
  least: 20,
  async piece(size) {
    const gone = Number((await ask(ctx, deps, sql<{ gone: number }>`select app.end_holds(${size}::int) as gone`)).gone);
    return { gone, more: gone > 0 };
  },
});

type Trimmed = { last_company: string | null; trimmed: string | number; more: boolean };

/** Changes of the companies in turn: a company with many to forget is come back to when the others have had theirs. */
function changes(ctx: Ctx, deps: Deps, place: Place, keep: (place: Place) => Promise<unknown>): Pieces {
  const least = 20;
  async function go(companies: number, rows: number): Promise<Piece> {
    const { last_company, trimmed, more } = await ask(
      ctx,
      deps,
      sql<Trimmed>`select last_company, trimmed, more from app.trim_changes(interval '90 days', ${place.after}::uuid, ${companies}::int, ${rows}::int)`,
    );
    const after = last_company;
    const again = place.again || (rows > 0 && more);
    const ended = after === null;
    place = { after, again: again && !ended };
    await keep(place);
    return { gone: Number(trimmed), more: !ended || again };
  }
  return {
    most: 1000,
    least,
    piece: (size) => go(size === least ? 1 : Math.ceil(size / 5), size),
    skip: () => go(1, 0),
  };
}
