import type { Change } from '../data/log.ts';
import { isBefore, type Position } from '../data/position.ts';

/** Pollers that may wait at a time; whoever comes beyond is told at once to look for themselves. */
const MOST_WAITING = 1000;

/** Changes of which entities somebody waits for beyond which position; undefined: of any. */
type Wanted = { beyond: Position; entities: readonly string[] | undefined };
type Waiting = Wanted & { answer: (came: boolean) => void };

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

  /** True: what is wanted may be there; false: it was not within `patience` ms, or too many wait. */
  wait(wanted: Wanted, patience: number): Promise<boolean> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        ...wanted,
        answer: (came) => {
          this.#waiting.delete(waiting);
          resolve(came);
        },
      };
      this.#waiting.add(waiting);
      this.#after(patience, () => waiting.answer(false));
    });
  }

  /**
   * The company is known to be here. Whoever wants none of what led here is left to wait: they would look at the log for nothing.
   * @param changes all that led here; null where not all are at hand
   */
  reached(position: Position, changes: readonly Change[] | null): void {
    for (const { beyond, entities, answer } of [...this.#waiting]) {
      const isWanted = changes?.some(({ entity }) => entities?.includes(entity) ?? true) ?? true;
      if (isWanted && isBefore(beyond, position)) answer(true);
    }
  }
}
