import { Pace } from '../../core/pace.ts';
import type { Change } from '../../data/log.ts';
import { isBefore, type Position } from '../../data/position.ts';
import type { Ring } from './ring.ts';
import { type Batch, Sequence } from './sequence.ts';

/** Clock and timer of whoever runs it, ms. */
export type Time = { now(): number; after(ms: number, work: () => void): void };

/** The log after a revision, as much as fits into one answer or as was asked for: where it ends, and from which revision on it is kept. */
export type LogPage = { epoch: string; head: number; oldest: number | null; changes: Change[] };
export type Log = { after(revision: number, most?: number): Promise<LogPage> };

export type StreamParts = {
  time: Time;
  log: Log;
  ring: Ring;
  /** Ms between two frames of a steady stream. */
  batchMs: number;
  /** Whether anybody would be sent anything. */
  isHeard(): boolean;
  /** Whether nothing that was kept from before this change may be shown any more. */
  purges(change: Change): boolean;
  /** Sends a batch to everybody who is live. Synchronous. */
  deliver(batch: Batch<Change>): void;
  /** Another history, or one so far ahead that nobody is walked there: everybody must load anew. */
  restarted(position: Position, reason: 'epoch_changed' | 'window_exceeded'): void;
  /** What was sent could not be kept: everybody who is live is to come back. */
  lost(): void;
};

/** Frames that may leave at once after a quiet time. */
const BURST = 5;
/** How long what comes out of order may wait for its predecessor to come by itself, ms. */
const PUSH_UNDER_WAY = 25;
/** Pauses between two tries to read the log, ms. */
const FIRST_RETRY = 250;
const LAST_RETRY = 5000;
/** A room that begins farther behind than this begins at the head: nobody who comes back from there is served by its ring. */
const MOST_BEHIND = 1024;
/** Changes that wait to be sent before the log is read on. */
const MOST_PENDING = 1000;

/**
 * A company's changes on their way to its sockets: pushed by writers, read from the log where a push is missing, sent in
 * order at a bounded pace, kept in the ring. Sends first and keeps after: what a crash loses of the ring closes the sockets
 * with it, so nobody has seen more than they are told again.
 */
export class Stream {
  readonly #parts: StreamParts;
  /** A change after a quiet time leaves at once, and a stream of them together: ten a second never wait. */
  readonly #pace: Pace;
  #sequence: Sequence<Change> | null;
  /** Whether the log was asked since this object began; what the ring remembers may be old. */
  #located: boolean;
  #rings = false;
  #following = false;
  /** The reading of where the company is that is under way. */
  #locating: Promise<Position> | null = null;

  /** @param awake whether sockets are attached: after a hibernation they are exactly where the ring is */
  constructor(parts: StreamParts, awake: boolean) {
    this.#parts = parts;
    this.#pace = new Pace(60_000 / parts.batchMs, BURST);
    const position = parts.ring.position();
    this.#sequence = position === null ? null : new Sequence(position);
    this.#located = awake && position !== null;
  }

  /** What everybody who is live was sent last; null until it is known where the company is. */
  position(): Position | null {
    const sequence = this.#sequence;
    return sequence === null || !this.#located ? null : { epoch: sequence.epoch, revision: sequence.sent };
  }

  /** A write has committed these, or knows only up to where: then `changes` is empty. */
  push(end: Position, changes: readonly Change[]): void {
    const sequence = this.#sequence;
    if (sequence === null || isOlder(end.epoch, sequence.epoch)) return;
    if (end.epoch !== sequence.epoch) {
      this.#restart(end, 'epoch_changed');
      return;
    }
    // Told before.
    if (end.revision <= sequence.sent) return;
    // With nobody to tell there is nothing to repair: whoever comes next finds out where the company is.
    if (!this.#parts.isHeard() && (changes[0]?.revision ?? Number.NaN) !== sequence.sent + 1) {
      this.#located = false;
      return;
    }
    sequence.offer(changes);
    sequence.hear(end.revision);
    this.#schedule();
    this.#follow(PUSH_UNDER_WAY);
  }

  /** Sends what waits; everybody who is live is at one position before and after. */
  #flush(): void {
    const sequence = this.#sequence;
    const batch = sequence?.take() ?? null;
    if (sequence === null || batch === null) return;
    const end = { epoch: sequence.epoch, revision: batch.revision };
    this.#move(end, () => this.#parts.deliver(batch), batch.items);
  }

  /** @throws whatever fails; nobody is live then until the ring has begun anew, as a sleep brings back what it says */
  #move(end: Position, tell: () => void, changes: readonly Change[] | null = null): void {
    const { ring, purges, lost } = this.#parts;
    try {
      tell();
      // Nothing of before an erasure is kept, and the erasure itself is in the log.
      if (changes === null || changes.some((change) => purges(change))) ring.restart(end);
      else ring.append(changes, end);
    } catch (error) {
      [this.#sequence, this.#located] = [null, false];
      lost();
      throw error;
    }
  }

  /**
   * Finds out where the company is, at least once per object and whenever someone claims to be ahead. After a crash all come
   * back at once: one read is for all of them.
   * @throws whatever reading the log throws
   */
  async locate(atLeast: Position | null = null): Promise<Position> {
    const isEnough = (at: Position): boolean => atLeast === null || !isBefore(at, atLeast);
    const known = this.position();
    if (known !== null && isEnough(known)) return known;
    const underWay = this.#locating;
    if (underWay !== null) {
      const at = await underWay;
      // It may have begun before what is claimed was committed.
      if (isEnough(at)) return at;
    }
    for (let before = -1; ; ) {
      const at = await this.#ask();
      // What is claimed may lie beyond one page of the log.
      if (isEnough(at) || this.#missing() === null || at.revision <= before) return at;
      before = at.revision;
    }
  }

  #ask(): Promise<Position> {
    this.#locating ??= this.#locate();
    return this.#locating;
  }

  async #locate(): Promise<Position> {
    let page: LogPage;
    try {
      page = await this.#parts.log.after(this.#sequence?.sent ?? Number.MAX_SAFE_INTEGER);
    } finally {
      this.#locating = null;
    }
    const head = { epoch: page.epoch, revision: page.head };
    // Meanwhile a push, another reader or a restart may have moved it.
    const present = this.#sequence;
    if (present === null || present.epoch !== page.epoch) {
      if (present === null || isOlder(present.epoch, page.epoch)) this.#restart(head, 'epoch_changed');
    } else if (!this.#parts.isHeard() && page.head - present.sent > MOST_BEHIND) this.#restart(head, 'window_exceeded');
    else {
      this.#take(present, page);
      // Whoever asks is told where everybody is: what was read must not wait for its turn to be sent.
      this.#flush();
    }
    this.#located = true;
    return this.position() ?? head;
  }

  /** Forgets where it is, as nobody has listened for long: writes cost the room no row then. */
  retire(): void {
    if (!this.#parts.isHeard()) this.#sequence = null;
  }

  #take(sequence: Sequence<Change>, page: LogPage): void {
    sequence.offer(page.changes);
    sequence.settle(page.head);
    this.#schedule();
    this.#follow(0);
  }

  #schedule(): void {
    const sequence = this.#sequence;
    if (sequence === null || sequence.waiting === 0 || this.#rings) return;
    const wait = this.#pace.take(this.#parts.time.now());
    if (wait === 0) {
      this.#flush();
      return;
    }
    this.#rings = true;
    this.#parts.time.after(wait, () => {
      this.#rings = false;
      this.#schedule();
    });
  }

  /** Reads the log until nothing that is known to exist is missing. One reader at a time. */
  #follow(delay: number): void {
    if (this.#following || this.#missing() === null) return;
    this.#following = true;
    let retry = FIRST_RETRY;
    const again = (pause: number): void => this.#parts.time.after(pause, () => void step());
    const step = async (): Promise<void> => {
      const after = this.#missing();
      if (after === null || !this.#parts.isHeard()) {
        this.#following = false;
        return;
      }
      if ((this.#sequence?.waiting ?? 0) > MOST_PENDING) return again(this.#parts.batchMs);
      try {
        this.#read(await this.#parts.log.after(after), after);
        retry = FIRST_RETRY;
        again(0);
      } catch {
        // The log is kept; so is everybody's place in it.
        again(retry);
        retry = Math.min(LAST_RETRY, retry * 2);
      }
    };
    again(delay);
  }

  #read(page: LogPage, after: number): void {
    const sequence = this.#sequence;
    if (sequence === null) return;
    if (page.epoch !== sequence.epoch) {
      if (!isOlder(page.epoch, sequence.epoch))
        this.#restart({ epoch: page.epoch, revision: page.head }, 'epoch_changed');
      return;
    }
    const lost = page.oldest !== null && page.oldest > after + 1;
    if ((lost || (page.changes.length === 0 && page.head > after)) && sequence.gap() === after)
      this.#restart({ epoch: page.epoch, revision: page.head }, 'window_exceeded');
    else this.#take(sequence, page);
  }

  #missing(): number | null {
    return this.#sequence?.gap() ?? null;
  }

  #restart(position: Position, reason: 'epoch_changed' | 'window_exceeded'): void {
    this.#sequence = new Sequence(position);
    this.#located = true;
    this.#move(position, () => this.#parts.restarted(position, reason));
  }
}

/** Epochs are UUIDv7, in the order of time. */
const isOlder = (epoch: string, than: string): boolean => epoch < than;
