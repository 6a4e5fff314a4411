import { LOOKED_AFTER_WITHIN } from '../core/upgrade.ts';

/** How often the credentials of those who listen are looked after, ms: an ended one hears nothing a minute later. */
const EACH = 50_000;
/** While the database cannot be asked, ms. */
const AGAIN = 5000;

/** When the credentials of those who listen are looked after. Pure; of memory alone, so a room that wakes looks at once. */
export class LookAfter {
  #at: number | null = null;

  /** Ms; null: with whatever is looked at next. */
  get next(): number | null {
    return this.#at;
  }

  /** When something is due at the latest, ms, by a clock that may have stepped back. */
  latest(now: number): number {
    if (this.#at === null) return now + EACH;
    return this.isDue(now) ? now : this.#at;
  }

  isDue(now: number): boolean {
    // Farther away than any is set: the clock stepped back.
    return this.#at === null || this.#at <= now || this.#at > now + EACH;
  }

  /** @param since what was known of them, ms; a clock that is ahead may have said so */
  letIn(since: number, now: number): void {
    this.#by(Math.min(since, now) + LOOKED_AFTER_WITHIN);
  }

  /** Whoever comes in from now on is not among those who are looked after. */
  begin(): void {
    this.#at = null;
  }

  /** @param isKnown whether the database could tell */
  end(now: number, isKnown: boolean): void {
    this.#by(now + (isKnown ? EACH : AGAIN));
  }

  #by(at: number): void {
    this.#at = Math.min(this.#at ?? Number.POSITIVE_INFINITY, at);
  }
}
