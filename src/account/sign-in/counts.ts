import { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { behind } from '../../data/ctx.ts';
import type { Work } from '../../data/deps.ts';
import { shareOf, WeighedMap } from '../../data/weighed.ts';

/** One counter: at most `most` in `seconds`. */
export type Limit = { subject: string; most: number; seconds: number };

/** A key is put together of pieces, which stay pieces (measured: bench/heap.ts). */
const KEY_BYTES = 200;

/**
 * What this isolate has counted or heard of, by key. It holds while Redis is away or late, and refuses without asking
 * Redis again. Bounded plain data: keys name their window, and those asked for longest ago go first.
 */
const known = new WeighedMap<number>(shareOf('counts'));

/**
 * The window of this moment and how many seconds are left of it. Those of a deployment begin at a moment of its own, so that
 * nobody knows from the clock alone when guessing may start anew.
 */
export function windowOf(environment: string, seconds: number, now: number): { index: number; left: number } {
  const shifted = Math.floor(now / 1000) + phaseOf(environment);
  return { index: Math.floor(shifted / seconds), left: seconds - (shifted % seconds) };
}

const phases = new Map<string, number>();
function phaseOf(environment: string): number {
  const phase = phases.get(environment) ?? sha256(environment).readUInt16BE();
  phases.set(environment, phase);
  return phase;
}

export const keyOf = ({ ctx, deps }: Work, { subject, seconds }: Limit): string =>
  // Hashed: neither addresses nor e-mail belong in a cache.
  deps.redis.key(
    'limit',
    sha256(subject).toString('base64url'),
    windowOf(deps.settings.environment, seconds, ctx.now()).index,
  );

/**
 * Refuses before any work is done. Counts nothing: `count` does, where the work was done or failed.
 * @throws AppError rate_limited
 */
export async function check(at: Work, limits: readonly Limit[]): Promise<void> {
  refuseKnown(at, limits);
  const keys = limits.map((limit) => keyOf(at, limit));
  const counts = await at.deps.redis.trip(
    at.ctx,
    (p) => p.mget(...keys),
    ([answer]) => readCounts(answer),
  );
  for (const [i, key] of keys.entries()) learn(key, counts?.[i] ?? 0);
  refuseKnown(at, limits);
}

/** Refuses by what this isolate knows, without a trip. @throws AppError rate_limited */
export function refuseKnown(at: Work, limits: readonly Limit[]): void {
  for (const limit of limits) {
    if (counted(at, limit) < limit.most) continue;
    const { left: retryAfter } = windowOf(at.deps.settings.environment, limit.seconds, at.ctx.now());
    throw new AppError('rate_limited', 'Too many attempts. Try again later.', { extra: { retryAfter } });
  }
}

/** How many are counted as far as this isolate knows. */
export const counted = (at: Work, limit: Limit): number => known.get(keyOf(at, limit)) ?? 0;

/** Counts one more of each, here at once and in Redis with one trip. */
export async function count(at: Work, limits: readonly Limit[]): Promise<void> {
  const keys = limits.map((limit) => keyOf(at, limit));
  for (const key of keys) learn(key, (known.get(key) ?? 0) + 1);
  await at.deps.redis.trip(
    at.ctx,
    (p) => {
      for (const [i, key] of keys.entries()) {
        p.incr(key);
        p.expire(key, limits[i]?.seconds ?? 0);
      }
    },
    (answers) => {
      for (const [i, key] of keys.entries()) learn(key, Number(answers[2 * i]));
      return true;
    },
  );
}

/** The same behind the answer; this isolate knows at once. */
export function countBehind({ ctx, deps }: Work, limits: readonly Limit[]): void {
  ctx.waitUntil(count({ ctx: behind(ctx), deps }, limits));
}

/** The answer of `mget` as counts. */
export function readCounts(answer: unknown): number[] {
  if (!Array.isArray(answer)) throw new Error('shape');
  return answer.map((n) => Number(n ?? 0));
}

/** Takes over a count that may have grown elsewhere. */
export function learn(key: string, counted: number): void {
  if (!(counted > (known.get(key) ?? 0))) return;
  known.set(key, counted, KEY_BYTES);
}
