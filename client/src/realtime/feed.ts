import type { Batch, Position } from './frames.ts';

/** Keeps the place in the log over connections, so that each change is taken once and in order. Pure. */
export class Feed {
  #at: Position | null;

  constructor(at: Position | null = null) {
    this.#at = at;
  }

  /** Where to resume; null: nowhere. */
  get position(): Position | null {
    return this.#at;
  }

  /**
   * The server begins here. What came since we asked to resume is behind us already.
   * @returns whether everything before has to be loaded anew
   */
  begin({ epoch, revision, recovered }: Position & { recovered: boolean }): boolean {
    const at = this.#at;
    if (recovered && at !== null && at.epoch === epoch) return false;
    this.#at = { epoch, revision };
    return true;
  }

  /** What was known is worth nothing any more. */
  forget(): void {
    this.#at = null;
  }

  /** @returns what of it is new; null for what was had; `gap` when something before it is missing */
  take(batch: Batch): Batch | 'gap' | null {
    const at = this.#at;
    if (at === null || batch.revision <= at.revision) return null;
    if (batch.prev > at.revision) return 'gap';
    // First the place, then the telling: a listener that resubscribes must not ask for this again.
    this.#at = { epoch: at.epoch, revision: batch.revision };
    if (batch.prev === at.revision) return batch;
    return { ...batch, messages: batch.messages.filter(({ revision }) => revision > at.revision) };
  }
}
