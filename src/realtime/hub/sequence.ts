import type { Position } from '../../data/position.ts';

/** What is put in order: something of one revision. */
export type Item = { readonly revision: number };

/** What leaves together: everything after `prev` up to and including `revision`. */
export type Batch<T> = { prev: number; revision: number; items: readonly T[] };

/** Items kept that came before their turn; what lies farther ahead is read from the log when its turn comes. */
const MOST_EARLY = 1024;

/**
 * The order of a company's changes on their way to its sockets. They come pushed and pulled, doubled, delayed and in any
 * order; they leave as head + 1, head + 2, …, each once, because the log has no gaps. Nothing else about a room decides
 * what is sent next. Pure.
 */
export class Sequence<T extends Item> {
  readonly epoch: string;
  /** The last that left. */
  #sent: number;
  /** Everything up to here has come. */
  #head: number;
  /** The newest that is known to exist, whether it has come or not. */
  #known: number;
  #pending: T[] = [];
  readonly #early = new Map<number, T>();

  /** @param start what was sent last: the first to leave is the one after it */
  constructor(start: Position) {
    this.epoch = start.epoch;
    this.#sent = start.revision;
    this.#head = start.revision;
    this.#known = start.revision;
  }

  /** The last revision that left. */
  get sent(): number {
    return this.#sent;
  }

  /** Takes what has come; what came before is ignored. */
  offer(items: Iterable<T>): void {
    for (const item of items) {
      const { revision } = item;
      this.#known = Math.max(this.#known, revision);
      if (revision === this.#head + 1) this.#append(item);
      else if (revision > this.#head && this.#early.size < MOST_EARLY) this.#early.set(revision, item);
    }
    for (let next = this.#early.get(this.#head + 1); next !== undefined; next = this.#early.get(this.#head + 1)) {
      this.#early.delete(this.#head + 1);
      this.#append(next);
    }
  }

  /** Somebody has seen the company at this revision. */
  hear(revision: number): void {
    this.#known = Math.max(this.#known, revision);
  }

  /** The log was asked and ends here: what only hearsay knew beyond it does not exist. */
  settle(end: number): void {
    this.#known = Math.max(this.#head, end, ...this.#early.keys());
  }

  /** After which revision the log must be asked, because something is known to be missing; null when nothing is. */
  gap(): number | null {
    return this.#known > this.#head ? this.#head : null;
  }

  /** How many could leave. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** What leaves now; null when there is nothing. */
  take(): Batch<T> | null {
    if (this.#pending.length === 0) return null;
    const batch = { prev: this.#sent, revision: this.#head, items: this.#pending };
    this.#pending = [];
    this.#sent = this.#head;
    return batch;
  }

  #append(item: T): void {
    this.#head = item.revision;
    this.#pending.push(item);
  }
}
