/** Frames that may leave at once after a quiet time. */
const BURST = 5;

/**
 * When frames leave: a change after a quiet time at once, and a stream of them together every `interval` ms. A bucket of
 * five that fills by one each interval, so that ten changes a second never wait. Pure.
 */
export class Cadence {
  readonly #interval: number;
  #tokens = BURST;
  #at = 0;

  /** @param interval ms between two frames of a steady stream */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Takes the right to send one frame now. False: not before `next`. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** When the next frame may leave, ms. */
  next(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? now : now + Math.ceil((1 - this.#tokens) * this.#interval);
  }

  #fill(now: number): void {
    // A clock that stepped back starts over from where it is, with what there was.
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(BURST, this.#tokens + passed / this.#interval);
  }
}
