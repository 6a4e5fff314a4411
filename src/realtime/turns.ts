import type { Pace } from '../core/pace.ts';

/** Writes of one company that may be under way at a time, over all isolates: one works, the others are on their way to it. */
export const MOST_UNDER_WAY = 4;

/** Writes that may wait for their turn; each is a request that some isolate keeps. */
export const MOST_WAITING = 1000;

/** How long a turn counts, ms: no write waits longer for its company's lock, and a Worker that died never ends its turn. */
export const LONGEST_TURN = 6000;

/** The rest after a heavy write, of what it took: so many of them at once still go at the pace of the limit. */
const REST = 0.5;

/** Whose turn has come, and who has waited as long as they would. */
export type Called = { begun: string[]; late: string[] };

/** A write that waits: until when it would, ms, and what it weighs in units of the rate limit. */
type Waiter = { until: number; units: number };

/** More than one unit: a write of many rows, which keeps a backend at work for as long as a hundred others would. */
const isHeavy = (units: number): boolean => units > 1;

/**
 * Whose turn it is to write: the company's writes run one at a time anyway, so those beyond a few wait here, where
 * waiting costs no database connection. First come, first served; beyond a burst at the pace that the company's rate limit
 * lets it keep up anyway, so that it does a minute's work in a minute and leaves the seconds to others. Heavy writes go one
 * at a time, with a rest half as long as each took, so that no company keeps a backend at work all the time; others of its writes
 * are not behind them. State of memory alone: lost with an eviction, after which everybody begins anew and nobody is harmed.
 */
export class Turns {
  readonly #pace: Pace;
  /** When each turn began; the oldest first. */
  readonly #underWay = new Map<string, number>();
  /** The heavy write under way. */
  #heavy: string | null = null;
  /** Until when no heavy one begins, ms. */
  #restsUntil = 0;
  /** In the order they came. */
  readonly #waiting = new Map<string, Waiter>();
  /** What those who wait weigh together. */
  #queued = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Whether this write may begin at once: a turn is free, nobody waits for it, and the pace allows it. */
  begin(id: string, units: number, now: number): boolean {
    if (this.#underWay.has(id)) return true;
    this.#expire(now);
    if (this.#waiting.size > 0 || !this.#isFree(units, now)) return false;
    this.#begin(id, units, now);
    return true;
  }

  /** Queues a write that may not begin yet. False when too many wait, or so many that its turn cannot come in time. */
  wait(id: string, units: number, until: number, now: number): boolean {
    if (this.#waiting.size >= MOST_WAITING || this.#pace.readyAt(now, this.#queued) > until) return false;
    this.#waiting.set(id, { until, units });
    this.#queued += units;
    return true;
  }

  /** How long until the turn of one who came now could come, ms, by the pace alone. */
  backlog(now: number): number {
    return this.#pace.readyAt(now, this.#queued) - now;
  }

  /** Ends a turn, or the waiting for one. */
  end(id: string, now: number): void {
    this.#over(id, now);
    this.#unqueue(id);
  }

  /** Hands out the turns that are free now, and gives up those who waited too long. */
  call(now: number): Called {
    this.#expire(now);
    const called: Called = { begun: [], late: [] };
    for (const [id, { until, units }] of this.#waiting) {
      if (until <= now) called.late.push(id);
      else if (this.#isFree(units, now)) {
        this.#begin(id, units, now);
        called.begun.push(id);
      } else continue;
      this.#unqueue(id);
    }
    return called;
  }

  /** When `call` has something to do though nobody ends a turn, ms; null while nobody waits. */
  nextCall(now: number): number | null {
    if (this.#waiting.size === 0) return null;
    let next = Number.POSITIVE_INFINITY;
    let allHeavy = true;
    for (const { until, units } of this.#waiting.values()) {
      next = Math.min(next, until);
      allHeavy &&= isHeavy(units);
    }
    const oldest = this.#underWay.values().next().value;
    const isFull = this.#underWay.size >= MOST_UNDER_WAY || (allHeavy && this.#heavy !== null);
    if (isFull && oldest !== undefined) return Math.min(next, oldest + LONGEST_TURN);
    const ready = Math.ceil(this.#pace.readyAt(now));
    return Math.min(next, allHeavy ? Math.max(ready, this.#restsUntil) : ready);
  }

  #isFree(units: number, now: number): boolean {
    if (this.#underWay.size >= MOST_UNDER_WAY || this.#pace.readyAt(now) > now) return false;
    // Farther ahead than any rest: the clock stepped back.
    const rests = this.#restsUntil > now && this.#restsUntil - now <= LONGEST_TURN;
    return !isHeavy(units) || (this.#heavy === null && !rests);
  }

  #begin(id: string, units: number, now: number): void {
    this.#underWay.set(id, now);
    if (isHeavy(units)) this.#heavy = id;
    this.#pace.spend(units, now);
  }

  #over(id: string, now: number): void {
    const began = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (this.#heavy !== id || began === undefined) return;
    this.#heavy = null;
    this.#restsUntil = now + Math.ceil(Math.min(LONGEST_TURN, Math.max(0, now - began)) * REST);
  }

  #unqueue(id: string): void {
    this.#queued -= this.#waiting.get(id)?.units ?? 0;
    this.#waiting.delete(id);
  }

  #expire(now: number): void {
    for (const [id, since] of this.#underWay) {
      // Either way: a clock that stepped back must not keep a turn that nobody ends.
      if (Math.abs(now - since) < LONGEST_TURN) break;
      this.#over(id, now);
    }
  }
}
