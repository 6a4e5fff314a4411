import { isBefore, type Position } from '../data/position.ts';

/** Pollers that may wait at a time; whoever comes beyond is told at once to look for themselves. */
const MOST_WAITING = 1000;

type Waiting = { beyond: Position; answer: (came: boolean) => void };

/**
 * Those who wait for their company to go beyond a position. Each is answered by what happens, and in any case by a timer;
 * state of memory alone, as whoever is answered looks at the log.
 */
export class News {
  readonly #waiting = new Set<Waiting>();
  readonly #after: (ms: number, work: () => void) => void;

  constructor(after: (ms: number, work: () => void) => void) {
    this.#after = after;
  }

  /** True: the company is beyond this position; false: it was not within `patience` ms, or too many wait. */
  wait(beyond: Position, patience: number): Promise<boolean> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        beyond,
        answer: (came) => {
          this.#waiting.delete(waiting);
          resolve(came);
        },
      };
      this.#waiting.add(waiting);
      this.#after(patience, () => waiting.answer(false));
    });
  }

  /** The company is known to be here. */
  reached(position: Position): void {
    for (const { beyond, answer } of [...this.#waiting]) if (isBefore(beyond, position)) answer(true);
  }
}
