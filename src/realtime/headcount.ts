/** How often a number that stays is told again, ms: the monitor forgets rooms that are silent. */
const AGAIN = 40_000;
/** At least so long between two tellings, ms: a hundred that come together are told in two. */
const PAUSE = 5000;

export type HeadcountParts = {
  count(): number;
  tell(sockets: number): Promise<unknown>;
  now(): number;
  after(ms: number, work: () => void): void;
};

/** Tells the monitor how many listen here, when that changes and once in a while. What does not reach it is told with the next. */
export class Headcount {
  readonly #parts: HeadcountParts;
  #told: number | null = null;
  #at = 0;
  #isTelling = false;

  constructor(parts: HeadcountParts) {
    this.#parts = parts;
  }

  look(): void {
    const { count, tell, now, after } = this.#parts;
    // Whoever comes meanwhile is counted with the next telling.
    if (this.#isTelling) return;
    const sockets = count();
    if (sockets === this.#told && (sockets === 0 || Math.abs(now() - this.#at) < AGAIN)) return;
    this.#isTelling = true;
    const told = (isKnown: boolean): void => {
      this.#told = isKnown ? sockets : null;
      this.#at = now();
      after(PAUSE, () => {
        this.#isTelling = false;
        if (isKnown) this.look();
      });
    };
    void tell(sockets).then(
      () => told(true),
      () => told(false),
    );
  }
}
