import { CatchUp } from '../realtime/catch-up.ts';
import type { Batch, ListChange, Position } from '../realtime/frames.ts';
import type { ApiClient } from '../rest/client.ts';
import { ConnectionError, ProblemError } from '../rest/errors.ts';
import type { Answer } from '../rest/typing.ts';
import { type Order, orderOf, type Row } from './order.ts';
import { Overlays } from './overlay.ts';
import { changed } from './rows.ts';
import type { Stored } from './storage.ts';

/**
 * `cached`: shown as it was last known; `live`: as a GET would answer now; `failed`: the server refuses it, `error` says why;
 * `ended`: it will not change any more.
 */
export type ListStatus = 'loading' | 'cached' | 'live' | 'failed' | 'ended';

/** The same object until something changes. */
export type Snapshot<R> = {
  readonly data: readonly R[];
  readonly status: ListStatus;
  /** Why it could not be loaded lately. */
  readonly error: Error | null;
};

/** What a list needs of whoever keeps them. */
export type ListParts = {
  client: ApiClient;
  /** Its rows are others, or where they are is; `isNews`: the rows. */
  moved(isNews: boolean): void;
  left(): void;
};

const TRY_AGAIN = 5000;

/** A list that is what its GET answers, all the time. */
export class LiveList<R extends Row = Row> {
  readonly path: string;
  readonly #parts: ListParts;
  readonly #order: Order;
  readonly #listeners = new Set<() => void>();
  readonly #catchUp = new CatchUp<ListChange<R>>();
  readonly #overlays = new Overlays<R>();
  #rows: readonly R[] | null = null;
  /** What the rows are of, and the history it is of: null before the stream has said. */
  #revision = 0;
  #epoch: string | null = null;
  /** Where the stream is. */
  #cursor = 0;
  /** Counts histories: what was asked for in an earlier one says nothing in the next. */
  #history = 0;
  #isLive = false;
  #hasEnded = false;
  #isLoading = false;
  #error: Error | null = null;
  #isRefused = false;
  #snapshot: Snapshot<R> = { data: [], status: 'loading', error: null };
  #cancel: () => void = () => undefined;

  constructor(path: string, parts: ListParts) {
    this.path = path;
    this.#parts = parts;
    this.#order = orderOf(path);
  }

  /** For `useSyncExternalStore`, as it is. */
  readonly getSnapshot = (): Snapshot<R> => this.#snapshot;

  /** @returns stops telling */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** It is followed no more. */
  readonly close = (): void => this.#parts.left();

  /**
   * Shows a write before it is answered: `change` over the rows, until they hold it or it is refused.
   * @throws what `write` throws
   */
  async optimistic<T>(change: (rows: readonly R[]) => readonly R[], write: () => Promise<Answer<T>>): Promise<T> {
    const overlay = this.#overlays.add(change);
    const history = this.#history;
    this.#publish();
    try {
      const { body, revision } = await write();
      // The numbers of a history that has ended meanwhile say nothing.
      overlay.until = history === this.#history ? (revision ?? 0) : 0;
      if (this.#overlays.reached(this.#exact)) this.#publish();
      // Nobody tells of it, so it is asked for.
      else if (!this.#isLive) this.#want(overlay.until);
      return body;
    } catch (error) {
      this.#overlays.remove(overlay);
      this.#publish();
      throw error;
    }
  }

  /** What is to be kept; null: nothing is known, or not for sure. */
  get stored(): Stored | null {
    const epoch = this.#epoch;
    if (this.#rows === null || epoch === null || this.#catchUp.wanted !== null) return null;
    return { epoch, revision: this.#revision, rows: this.#rows };
  }

  /** Shows what was kept; without that, what can be had before the stream is there. */
  begin(stored: Stored | null): void {
    if (stored === null) {
      this.#want(0);
      return;
    }
    this.#rows = stored.rows as readonly R[];
    this.#revision = stored.revision;
    this.#epoch = stored.epoch;
    this.#publish();
  }

  /** The stream goes on from here. @param isFresh what was known before does not count */
  follow({ epoch, revision }: Position, isFresh: boolean): void {
    const holds = !isFresh && this.#rows !== null && this.#epoch === epoch && this.#revision >= revision;
    const isLoading = this.#catchUp.wanted !== null;
    this.#isLive = true;
    this.#cursor = revision;
    const isOther = this.#epoch !== epoch || (isFresh && revision < this.#revision);
    if (isFresh || isOther) {
      this.#history += 1;
      this.#catchUp.clear();
    }
    if (isOther) this.#overlays.renumber();
    this.#epoch = epoch;
    // What was being loaded is loaded still.
    if (!holds || isLoading) this.#want(revision);
    else this.#publish();
  }

  /** The stream does not go on for now. */
  pause(): void {
    this.#isLive = false;
    this.#publish();
  }

  /** @param change what the batch says of this list; null: nothing */
  take({ revision }: Batch, change: ListChange<R> | null): void {
    if (this.#epoch === null || this.#hasEnded) return;
    this.#cursor = revision;
    const isNews = change !== null && (this.#catchUp.wanted !== null || change.revision > this.#revision);
    if (isNews && this.#catchUp.take(change)) this.#apply(change);
    this.#reach(isNews);
  }

  /** Nothing is shown or loaded any more. */
  end(): void {
    this.#hasEnded = true;
    this.#isLive = false;
    this.#rows = null;
    this.#catchUp.clear();
    this.#cancel();
    this.#publish();
  }

  /** The revision that the rows are surely of. */
  get #exact(): number {
    return this.#rows === null || this.#catchUp.wanted !== null ? 0 : this.#revision;
  }

  #apply(change: ListChange<R>): void {
    if (change.changed) this.#want(change.revision);
    else this.#rows = changed(this.#rows ?? [], change, this.#order);
  }

  /** The rows are of where the stream is, or of a later revision that they were loaded at. */
  #reach(isNews: boolean): void {
    if (this.#catchUp.wanted !== null) return;
    if (this.#epoch !== null) this.#revision = Math.max(this.#revision, this.#cursor);
    if (this.#overlays.reached(this.#exact) || isNews) this.#publish();
    this.#parts.moved(isNews);
  }

  #want(revision: number): void {
    if (this.#hasEnded) return;
    this.#catchUp.begin(revision);
    this.#publish();
    if (!this.#isLoading) void this.#load();
  }

  /** Until what is shown is as new as is wanted; never rejects. */
  async #load(): Promise<void> {
    const { client } = this.#parts;
    this.#cancel();
    this.#isLoading = true;
    try {
      for (let { wanted } = this.#catchUp; wanted !== null; { wanted } = this.#catchUp) {
        const history = this.#history;
        const { body, revision } = await client.send('get', this.path, { minRevision: wanted });
        if (revision !== null && revision < wanted) throw new Error('The answer is older than what was asked for.');
        this.#loaded((body as { data: readonly R[] }).data, revision ?? wanted, history === this.#history);
      }
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#isLoading = false;
  }

  #loaded(rows: readonly R[], revision: number, isOfHistory: boolean): void {
    if (this.#hasEnded) return;
    const newer = isOfHistory ? this.#catchUp.loaded(revision) : null;
    this.#error = null;
    this.#isRefused = false;
    if (newer === null) {
      // Not sure to be what it is now, but better than nothing.
      this.#rows ??= rows;
      this.#publish();
      return;
    }
    this.#rows = rows;
    this.#revision = revision;
    for (const change of newer) if (this.#catchUp.take(change)) this.#apply(change);
    this.#reach(true);
    this.#publish();
  }

  #failed(error: Error): void {
    if (this.#hasEnded) return;
    const passes = error instanceof ConnectionError || !(error instanceof ProblemError) || error.status >= 429;
    const isBehind = error instanceof ProblemError && error.code === 'revision_ahead';
    this.#error = error;
    // Asked for again when the stream begins anew, not by the clock: the answer would be the same.
    this.#isRefused = !passes && !isBehind;
    this.#publish();
    if (!this.#isRefused) this.#cancel = this.#parts.client.host.after(TRY_AGAIN, () => void this.#load());
  }

  #publish(): void {
    const before = this.#snapshot;
    const data = this.#overlays.over(this.#rows ?? []);
    const isSame = data.length === before.data.length && data.every((row, i) => row === before.data[i]);
    const next = { data: isSame ? before.data : data, status: this.#status, error: this.#error };
    if (isSame && next.status === before.status && next.error === before.error) return;
    this.#snapshot = next;
    for (const listener of [...this.#listeners]) listener();
  }

  get #status(): ListStatus {
    if (this.#hasEnded) return 'ended';
    if (this.#isRefused) return 'failed';
    if (this.#rows === null) return 'loading';
    return this.#isLive && this.#catchUp.wanted === null ? 'live' : 'cached';
  }
}
