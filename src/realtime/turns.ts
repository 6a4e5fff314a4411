import type { Pace } from '../core/pace.ts';

/** Writes of one company that may be under way at a time, over all isolates: one works, the others are on their way to it. */
export const MOST_UNDER_WAY = 4;

/** Writes that may wait for their turn; each is a request that some isolate keeps. */
export const MOST_WAITING = 1000;

/** How long a turn counts, ms: no write waits longer for its company's lock, and a Worker that died never ends its turn. */
export const LONGEST_TURN = 6000;

/** Whose turn has come, and who has waited as long as they would. */
export type Called = { begun: string[]; late: string[] };

/** A write that waits: until when it would, ms, and what it weighs in units of the rate limit. */
type Waiter = { until: number; units: number };

/**
 * Whose turn it is to write: the company's writes run one at a time anyway, so those beyond a few wait here, where
 * waiting costs no database connection. First come, first served; beyond a burst at the pace that the company's rate limit
 * lets it keep up anyway, so that it does a minute's work in a minute and leaves the seconds to others. State of memory
 * alone: lost with an eviction, after which everybody begins anew and nobody is harmed.
 */
export class Turns {
  readonly #pace: Pace;
  /** When each turn began; the oldest first. */
  readonly #underWay = new Map<string, number>();
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
    if (this.#waiting.size > 0 || !this.#isFree(now)) return false;
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
  end(id: string): void {
    this.#underWay.delete(id);
    this.#unqueue(id);
  }

  /** Hands out the turns that are free now, and gives up those who waited too long. */
  call(now: number): Called {
    this.#expire(now);
    const called: Called = { begun: [], late: [] };
    for (const [id, { until, units }] of this.#waiting) {
      if (until <= now) called.late.push(id);
      else if (this.#isFree(now)) {
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
    for (const { until } of this.#waiting.values()) next = Math.min(next, until);
    const oldest = this.#underWay.values().next().value;
    if (this.#underWay.size < MOST_UNDER_WAY) next = Math.min(next, Math.ceil(this.#pace.readyAt(now)));
    else if (oldest !== undefined) next = Math.min(next, oldest + LONGEST_TURN);
    return next;
  }

  #isFree(now: number): boolean {
    return this.#underWay.size < MOST_UNDER_WAY && this.#pace.readyAt(now) <= now;
  }

  #begin(id: string, units: number, now: number): void {
    this.#underWay.set(id, now);
    this.#pace.spend(units, now);
  }

  #unqueue(id: string): void {
    this.#queued -= this.#waiting.get(id)?.units ?? 0;
    this.#waiting.delete(id);
  }

  #expire(now: number): void {
    for (const [id, since] of this.#underWay) {
      // Either way: a clock that stepped back must not keep a turn that nobody ends.
      if (Math.abs(now - since) < LONGEST_TURN) break;
      this.#underWay.delete(id);
    }
  }
}
