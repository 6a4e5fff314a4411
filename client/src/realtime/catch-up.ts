/** What came with a revision. */
type At = { revision: number };

/**
 * A first load beside a stream: changes that come while it is under way wait, and those that it holds already are dropped.
 * Whoever asks for the load at `wanted` or later misses nothing. Pure.
 */
export class CatchUp<C extends At> {
  #wanted: number | null = null;
  #waiting: C[] = [];

  /** The revision from which on a load must be; null: nothing is to be loaded. */
  get wanted(): number | null {
    return this.#wanted;
  }

  /** A load is needed that shows at least this. */
  begin(revision: number): void {
    this.#wanted = Math.max(this.#wanted ?? 0, revision);
  }

  /** @returns whether it may be applied now */
  take(change: C): boolean {
    if (this.#wanted === null) return true;
    this.#waiting.push(change);
    return false;
  }

  /** @returns what to apply on what was loaded; null when that is too old, as more was wanted meanwhile */
  loaded(revision: number): C[] | null {
    if (this.#wanted === null || revision < this.#wanted) return null;
    const newer = this.#waiting.filter((change) => change.revision > revision);
    this.#waiting = [];
    this.#wanted = null;
    return newer;
  }

  /** The stream begins anew: what waits is of before. */
  clear(): void {
    this.#waiting = [];
    this.#wanted = null;
  }
}
