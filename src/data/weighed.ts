/** A map that may weigh so many bytes: whatever was used longest ago goes first. Plain data; keys count, too. */
export class WeighedMap<V> {
  readonly #entries = new Map<string, { value: V; bytes: number }>();
  readonly #most: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  get(key: string): V | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found.value;
  }

  /** @param bytes what the value weighs on the heap, its parts and their overhead counted */
  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    const whole = bytes + key.length + SLOT_BYTES;
    this.#entries.set(key, { value, bytes: whole });
    this.#bytes += whole;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most) break;
      this.delete(oldest);
    }
  }

  /** @returns the keys that went */
  deleteWhere(doomed: (key: string, value: V) => boolean): string[] {
    const gone = [...this.#entries].filter(([key, { value }]) => doomed(key, value)).map(([key]) => key);
    for (const key of gone) this.delete(key);
    return gone;
  }

  delete(key: string): void {
    const found = this.#entries.get(key);
    if (found === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= found.bytes;
  }
}

/** A place in the map and the heads of the key's string and of what holds the value (measured: bench/heap.ts). */
const SLOT_BYTES = 130;
