import { createHash } from 'node:crypto';
import type { ReadKind } from './hitrate-trace.ts';

/** Longest time for which an answer may be that of before, ms (contract 5, F2; of analytics a minute). */
const BOUND = 2000;
const ANALYTICS_BOUND = 60_000;

/**
 * One read: what was answered, and what is true by an uncached answer right behind it, with no write between. `key` names company
 * and question, `writtenAt` when the company was last written to, `at` when it was asked, ms. `isExact`: asked with the revision of
 * the last write, so nothing of before will do.
 */
export type Read = Truth & { kind: JudgedKind; isHit: boolean; isExact?: boolean; text: string; at: number };
/** `foreign`: asked of one company in the words of another; judged as all are, and no part of the workload. */
export type JudgedKind = ReadKind | 'foreign';
export type Truth = { key: string; truth: string; writtenAt: number };
export type Verdict = 'fresh' | 'stale' | 'late' | 'wrong';
export type Counts = { reads: number; hits: number; oracle: number; stale: number; late: number; wrong: number };

export const none = (): Counts => ({ reads: 0, hits: 0, oracle: 0, stale: 0, late: 0, wrong: 0 });

/** Adds one to the other. */
export function add(sum: Counts, counts: Counts): void {
  for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
}

/**
 * Judges answers one after the other. An answer is stale that was the truth within the bound, late that was before it, and wrong
 * that never was. The oracle is a cache that computes anew only what really differs from when it was last asked for.
 */
export class Judge {
  #counts = new Map<JudgedKind, Counts>();
  /** Of each question the truths that were seen, each with when it ended to be that at the latest. */
  readonly #truths = new Map<string, Map<string, number>>();
  readonly #newest = new Map<string, string>();

  read({ kind, isHit, isExact = false, text, at, ...real }: Read): Verdict {
    const said = short(text);
    const bound = kind === 'analytics' ? ANALYTICS_BOUND : BOUND;
    const before = (ended: number): Verdict => (!isExact && at - ended <= bound ? 'stale' : 'late');
    const isSame = this.learn(real);
    const ended = this.#truths.get(real.key)?.get(said);
    const verdict = said === this.#newest.get(real.key) ? 'fresh' : ended === undefined ? 'wrong' : before(ended);
    const of = this.#counts.get(kind) ?? none();
    this.#counts.set(kind, of);
    of.reads += 1;
    if (isHit) of.hits += 1;
    if (isSame) of.oracle += 1;
    if (verdict !== 'fresh') of[verdict] += 1;
    return verdict;
  }

  /** What is true now; with each write between two of them, an answer of between is known, too. @returns whether it was before */
  learn({ key, truth, writtenAt }: Truth): boolean {
    const now = short(truth);
    const before = this.#newest.get(key);
    if (before === now) return true;
    const truths = this.#truths.get(key) ?? new Map<string, number>();
    if (before !== undefined) truths.set(before, writtenAt);
    this.#truths.set(key, truths.set(now, Number.POSITIVE_INFINITY));
    this.#newest.set(key, now);
    return false;
  }

  knows(key: string): boolean {
    return this.#newest.has(key);
  }

  /** What was counted since this was last asked for, by kind; what is known stays. */
  take(): ReadonlyMap<JudgedKind, Counts> {
    const counts = this.#counts;
    this.#counts = new Map();
    return counts;
  }
}

const short = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);
