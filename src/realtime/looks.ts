/** How long after an announcement the room looks whether Redis still knows it, ms: once soon, once after the last one. */
const SOON = 6000;
const LATE = 60_000;
/** How long after a suspicion, ms: most often the announcement is only under way. */
const SUSPICION = 1500;

/**
 * When a room looks at Redis' head again: Redis may have lost an announcement that it had taken. Plain data, lost with the
 * room's memory; an alarm that finds none looks once for certain.
 */
export class Looks {
  /** The next look that something asked for, ms. */
  #soon: number | null = null;
  /** The last one that was asked for, ms: a look before it does not speak for what asked. */
  #last = Number.NEGATIVE_INFINITY;
  #late: number | null = null;
  #certain = true;

  announced(now: number): void {
    this.#ask(now + SOON);
    this.#late = now + LATE;
  }

  suspected(now: number): void {
    this.#ask(now + SUSPICION);
  }

  isDue(now: number): boolean {
    return this.#certain || isTime(this.#soon, SOON, now) || isTime(this.#late, LATE, now);
  }

  /** Redis was looked at; `since` is when that began. */
  looked(since: number): void {
    this.#certain = false;
    // Nothing lies farther away than it is asked for: else the clock stepped back.
    this.#last = Math.min(this.#last, since + SOON);
    this.#soon = this.#last > since ? this.#last : null;
    const late = this.#late;
    this.#late = late === null || late <= since ? null : Math.min(late, since + LATE);
  }

  /** When the next one is due, ms; null when none is. */
  next(): number | null {
    const due = Math.min(this.#soon ?? Number.POSITIVE_INFINITY, this.#late ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(due) ? due : null;
  }

  #ask(at: number): void {
    this.#soon = Math.min(this.#soon ?? Number.POSITIVE_INFINITY, at);
    this.#last = Math.max(this.#last, at);
  }
}

/** @param farthest how far ahead it was set at most, ms: beyond that the clock stepped back */
const isTime = (at: number | null, farthest: number, now: number): boolean =>
  at !== null && (at <= now || at > now + farthest);
