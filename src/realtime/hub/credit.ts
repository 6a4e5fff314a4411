/** A confirmation is asked for after so many frames or characters, or by chance with a later frame. */
const ASK_FRAMES = 32;
const ASK_LENGTH = 64 * 1024;
const CHANCE = 1 / 2;
/** Those asked for after so many frames, at most: who confirms nothing of small ones is asked no more until they are many. */
const MOST_ASKS = 8;
/** Characters without confirmation beyond which a reader is sent nothing more for now. */
const WINDOW = 256 * 1024;
/** How long a reader has for a confirmation, ms. */
export const PATIENCE = 10_000;
/** Characters that a sleep may make forgotten: as much is taken for sent after one, up to the window. */
const MOST_UNKEPT = 8 * 1024;
/** Confirmations that nobody asked for, and one more with each so many that were, until none is believed. */
const MOST_FALSE = 8;
const PER_TRUE = 8;

/** What one reader has been sent and has not confirmed, as plain data that survives a sleep. Lengths in characters. */
export type Unread = {
  length: number;
  /** Since what was last asked for. */
  frames: number;
  since: number;
  /** In the order they were asked for; `length` since the one before; `at` ms. */
  asks: { revision: number; at: number; length: number }[];
  confirmed: number;
  unasked: number;
};

const NONE: Unread = { length: 0, frames: 0, since: 0, asks: [], confirmed: 0, unasked: 0 };

/**
 * How much a reader may be sent. The runtime tells nobody how much waits in a socket, so a reader says so itself; and as one that
 * reads nothing can say so too, chance has a part in when it is asked, and whoever answers what it was not asked for is not believed. Pure.
 */
export class Credit {
  readonly #unread: Unread;
  readonly #random: () => number;
  #unkept = 0;

  /** @param kept of before a sleep */
  constructor(kept: Unread | undefined, random: () => number) {
    this.#random = random;
    this.#unread = kept ?? { ...NONE, asks: [] };
    if (kept === undefined) return;
    // Sleeps alone fill no window: of one who is full something was asked for.
    const forgotten = Math.min(MOST_UNKEPT, Math.max(0, WINDOW - kept.since));
    kept.length += forgotten;
    kept.since += forgotten;
  }

  get unread(): Unread {
    return this.#unread;
  }

  /** Something went out with which nothing can be asked for. */
  add(length: number): void {
    this.#unread.length += length;
    this.#unread.since += length;
    this.#unkept += length;
  }

  /** Another frame goes out. @returns whether it must ask for confirmation */
  spend(length: number, revision: number, now: number): boolean {
    const unread = this.#unread;
    this.add(length);
    unread.frames += 1;
    const isMany = unread.frames >= ASK_FRAMES && unread.asks.length < MOST_ASKS;
    if (!isMany && unread.since < ASK_LENGTH) return false;
    if (!this.isFull && this.#random() < CHANCE) return false;
    unread.asks.push({ revision, at: now, length: unread.since });
    [unread.frames, unread.since] = [0, 0];
    return true;
  }

  /** Whether it is to be kept now, after a frame went out that asks for confirmation or does not. */
  mustBeKept(asks: boolean): boolean {
    if (!asks && this.#unkept < MOST_UNKEPT) return false;
    this.#unkept = 0;
    return true;
  }

  /** The reader says that it has everything up to this revision. @returns whether it was asked for that */
  confirm(revision: number): boolean {
    const unread = this.#unread;
    const { asks } = unread;
    const asked = asks.findIndex((ask) => ask.revision === revision);
    if (asked < 0) unread.unasked += 1;
    else unread.confirmed += 1;
    if (!this.isBelieved) return asked >= 0;
    // One that answers with where it is by now has read what was asked for as well.
    const later = asks.findIndex((ask) => ask.revision > revision);
    const count = asked >= 0 ? asked + 1 : later < 0 ? asks.length : later;
    for (const { length } of asks.splice(0, count)) unread.length -= length;
    return asked >= 0;
  }

  /** False of a reader that has confirmed too much that it was not asked for: it may be told by another what it has not read. */
  get isBelieved(): boolean {
    const { unasked, confirmed } = this.#unread;
    return unasked <= MOST_FALSE + confirmed / PER_TRUE;
  }

  /** Whether it is to be sent nothing more for now. Something is asked for then. */
  get isFull(): boolean {
    return this.#unread.length > WINDOW;
  }

  /** Whether that would soon be so. */
  get isHalf(): boolean {
    return this.#unread.length > WINDOW / 2;
  }

  /** When it is too late for what was asked for first, ms; null where nothing is. */
  get due(): number | null {
    const [first] = this.#unread.asks;
    return first === undefined ? null : first.at + PATIENCE;
  }
}
