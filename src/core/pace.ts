/**
 * What a company may do at once before its pace counts, in units: a fifth of what a minute allows, 200 by default, so that
 * neither a full front desk nor a script of a hundred writes waits for it.
 */
export const burstOf = (perMinute: number): number => Math.max(1, perMinute / 5);

/** How far a clock may step back without being noticed, ms. */
const STEP = 1000;

/**
 * A pace: so many units a minute, and a burst at once before. Whoever comes beyond it is told when to come, not refused.
 * All it remembers is when what was let through is worked off.
 */
export class Pace {
  /** How long one unit lasts, ms. */
  readonly #unit: number;
  /** How far ahead of the pace a burst may get, ms. */
  readonly #slack: number;
  /** When all that was let through is worked off, ms; and how far away that was when it was last told, ms. */
  #paid = 0;
  #owed = 0;

  /** @param burst units at once, at least 1 */
  constructor(perMinute: number, burst: number) {
    this.#unit = 60_000 / perMinute;
    this.#slack = (burst - 1) * this.#unit;
  }

  /** When the next may go that stands behind so many units, ms. Not before all of them could have gone. */
  readyAt(now: number, behind = 0): number {
    return now + Math.max(0, this.#debt(now) + behind * this.#unit - this.#slack);
  }

  /** Lets one unit through if it may go now. @returns 0, or in how many ms one may */
  take(now: number): number {
    const wait = Math.ceil(this.readyAt(now) - now);
    if (wait <= 0) this.spend(1, now);
    return Math.max(0, wait);
  }

  /** Whether nothing is owed any more, so that this one is as good as a new one. */
  isIdle(now: number): boolean {
    return this.#debt(now) === 0;
  }

  /** Lets so many units through; one that weighs more than the burst goes all the same, and is waited for afterwards. */
  spend(units: number, now: number): void {
    this.#owed = this.#debt(now) + units * this.#unit;
    this.#paid = now + this.#owed;
  }

  #debt(now: number): number {
    // More than was owed then: the clock stepped back, and nobody is to wait for it to catch up.
    if (this.#paid - now > this.#owed + STEP) this.#paid = now;
    return Math.max(0, this.#paid - now);
  }
}
