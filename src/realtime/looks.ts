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
  #late: number | null = null;
  #certain = true;

  announced(now: number): void {
    this.#soon ??= now + SOON;
    this.#late = now + LATE;
  }

  suspected(now: number): void {
    this.#soon = Math.min(this.#soon ?? Number.POSITIVE_INFINITY, now + SUSPICION);
  }

  isDue(now: number): boolean {
    return this.#certain || (this.#soon ?? Number.POSITIVE_INFINITY) <= now || (this.#late ?? Infinity) <= now;
  }

  /** Redis was looked at; `since` is when that began. */
  looked(since: number): void {
    this.#certain = false;
    if (this.#soon !== null && this.#soon <= since) this.#soon = null;
    if (this.#late !== null && this.#late <= since) this.#late = null;
  }

  /** When the next one is due, ms; null when none is. */
  next(): number | null {
    const due = Math.min(this.#soon ?? Number.POSITIVE_INFINITY, this.#late ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(due) ? due : null;
  }
}
