/** Writes of one company that may be under way at a time, over all isolates: one works, the others are on their way to it. */
export const MOST_UNDER_WAY = 4;

/** Writes that may wait for their turn; each is a request that some isolate keeps. */
export const MOST_WAITING = 1000;

/** How long a turn counts, ms: no write waits longer for its company's lock, and a Worker that died never ends its turn. */
export const LONGEST_TURN = 6000;

/** Whose turn has come, and who has waited as long as they would. */
export type Called = { begun: string[]; late: string[] };

/**
 * Whose turn it is to write: the company's writes run one at a time anyway, so those beyond a few wait here, where
 * waiting costs no database connection. First come, first served. State of memory alone: lost with an eviction, after
 * which everybody begins anew and nobody is harmed.
 */
export class Turns {
  /** When each turn began; the oldest first. */
  readonly #underWay = new Map<string, number>();
  /** Until when each waits, in the order they came. */
  readonly #waiting = new Map<string, number>();

  /** Whether this write may begin at once: a turn is free, and nobody waits for it. */
  begin(id: string, now: number): boolean {
    if (this.#underWay.has(id)) return true;
    this.#expire(now);
    if (this.#waiting.size > 0 || this.#underWay.size >= MOST_UNDER_WAY) return false;
    this.#underWay.set(id, now);
    return true;
  }

  /** Queues a write that may not begin yet. False when too many wait. */
  wait(id: string, until: number): boolean {
    if (this.#waiting.size >= MOST_WAITING) return false;
    this.#waiting.set(id, until);
    return true;
  }

  /** Ends a turn, or the waiting for one. */
  end(id: string): void {
    this.#underWay.delete(id);
    this.#waiting.delete(id);
  }

  /** Hands out the turns that are free now, and gives up those who waited too long. */
  call(now: number): Called {
    this.#expire(now);
    const called: Called = { begun: [], late: [] };
    for (const [id, until] of this.#waiting) {
      if (until <= now) called.late.push(id);
      else if (this.#underWay.size < MOST_UNDER_WAY) {
        this.#underWay.set(id, now);
        called.begun.push(id);
      } else continue;
      this.#waiting.delete(id);
    }
    return called;
  }

  /** When `call` has something to do though nobody ends a turn, ms; null while nobody waits. */
  nextCall(): number | null {
    if (this.#waiting.size === 0) return null;
    let next = Math.min(...this.#waiting.values());
    const oldest = this.#underWay.values().next().value;
    if (oldest !== undefined) next = Math.min(next, oldest + LONGEST_TURN);
    return next;
  }

  #expire(now: number): void {
    for (const [id, since] of this.#underWay) {
      // Either way: a clock that stepped back must not keep a turn that nobody ends.
      if (Math.abs(now - since) < LONGEST_TURN) break;
      this.#underWay.delete(id);
    }
  }
}
