/** A confirmation is asked for after so many frames or characters. */
const ASK_FRAMES = 32;
const ASK_LENGTH = 64 * 1024;
/** Characters without confirmation from which on a reader is slow, when one asked for is late. */
const MOST_UNCONFIRMED = 256 * 1024;
/** How long a reader has for it, ms. */
const PATIENCE = 10_000;

/**
 * What one reader has been sent and has not confirmed. The runtime tells nobody how much waits in a socket, so a reader says
 * so itself. State of memory alone: after a hibernation nothing is under way. Pure.
 */
export class Credit {
  #length = 0;
  #frames = 0;
  /** What was unconfirmed when it was last asked for, by revision. */
  #asked: { revision: number; at: number; length: number } | null = null;

  /** Another frame goes out. @returns whether it must ask for confirmation */
  spend(length: number, revision: number, now: number): boolean {
    this.#length += length;
    this.#frames += 1;
    if (this.#asked !== null || (this.#frames < ASK_FRAMES && this.#length < ASK_LENGTH)) return false;
    this.#asked = { revision, at: now, length: this.#length };
    this.#frames = 0;
    return true;
  }

  /** The reader has everything up to this revision. */
  confirm(revision: number): void {
    if (this.#asked === null || revision < this.#asked.revision) return;
    this.#length -= this.#asked.length;
    this.#asked = null;
  }

  isSlow(now: number): boolean {
    return this.#length > MOST_UNCONFIRMED && this.#asked !== null && now - this.#asked.at >= PATIENCE;
  }
}
