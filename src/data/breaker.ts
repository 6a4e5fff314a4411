/** How a breaker stands: `open` refuses, `half-open` lets single probes through. */
type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * A circuit breaker of plain numbers. A library's breaker lets callers of the half-open state await the probe of
 * another request, which in workerd may hang for ever (research: measured), so this one never awaits anything.
 */
export class Breaker {
  #failures = 0;
  #openedAt = 0;
  #probing = 0;
  readonly #threshold: number;
  readonly #coolDown: number;

  /** @param threshold failures in a row that open it @param coolDown ms until a probe may pass */
  constructor(threshold: number, coolDown: number) {
    this.#threshold = threshold;
    this.#coolDown = coolDown;
  }

  state(now: number): BreakerState {
    if (this.#failures < this.#threshold) return 'closed';
    return this.#isOver(this.#openedAt, now) ? 'half-open' : 'open';
  }

  /** Whether a call may be tried now. In the half-open state one probe passes per cool-down. */
  admits(now: number): boolean {
    const state = this.state(now);
    if (state === 'closed') return true;
    if (state === 'open' || !this.#isOver(this.#probing, now)) return false;
    this.#probing = now;
    return true;
  }

  /** Whether a cool-down since then has passed. A clock that stepped back says nothing of it: better a probe too early. */
  #isOver(since: number, now: number): boolean {
    return now < since || now - since >= this.#coolDown;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = 0;
  }

  failed(now: number): void {
    this.#failures += 1;
    if (this.#failures >= this.#threshold) this.#openedAt = now;
  }
}
