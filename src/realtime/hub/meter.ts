/**
 * How much someone may still say (GCRA): `burst` at once, then one each `interval` ms. One number is all there is to keep:
 * when everything said so far would be paid for, at that pace. Pure.
 */
export class Meter {
  readonly #interval: number;
  readonly #burst: number;
  /** Ms. */
  paidAt: number;

  constructor({ perMinute, burst, paidAt = 0 }: { perMinute: number; burst: number; paidAt?: number }) {
    this.#interval = 60_000 / perMinute;
    this.#burst = burst;
    this.paidAt = paidAt;
  }

  /** Takes one. @returns 0, or in how many ms one may be taken */
  take(now: number): number {
    // No debt reaches further than all that may be said at once: whatever a clock did, it is paid within that time.
    const paidAt = Math.min(Math.max(this.paidAt, now), now + this.#burst * this.#interval);
    const wait = paidAt + this.#interval - now - this.#burst * this.#interval;
    if (wait > 0) return Math.ceil(wait);
    this.paidAt = paidAt + this.#interval;
    return 0;
  }

  /** Whether nothing is owed any more, so that this one is as good as a new one. */
  isIdle(now: number): boolean {
    return this.paidAt <= now;
  }
}

/** Counts what may happen only so often within a while, ms. */
export class Strikes {
  readonly #most: number;
  readonly #within: number;
  #times: number[] = [];

  constructor(most: number, within: number) {
    this.#most = most;
    this.#within = within;
  }

  /** One more. @returns whether that was one too many */
  strike(now: number): boolean {
    this.#times = this.#times.filter((at) => Math.abs(now - at) < this.#within);
    this.#times.push(now);
    return this.#times.length >= this.#most;
  }
}
