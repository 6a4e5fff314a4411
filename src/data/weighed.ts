const MIB = 1024 * 1024;

/** What an isolate remembers, each kind by its weight, MiB: 44 of 48 together, of the 128 that it has for everything. */
const SHARES = {
  answers: 12,
  tags: 9.5,
  tokens: 5.5,
  requests: 4,
  calendarDays: 2,
  calendarLists: 1.75,
  sweeps: 0.75,
  catalogues: 1,
  lateLooks: 1,
  refusals: 0.5,
  counts: 2,
  sessions: 1.5,
  keys: 1.5,
  keyClaims: 0.25,
  stamps: 0.5,
  feeds: 0.25,
} as const;

/** What the maps of this kind may weigh, bytes. */
export const shareOf = (kind: keyof typeof SHARES): number => SHARES[kind] * MIB;

/** That of all of them. */
export const allShares = (): number => Object.values(SHARES).reduce<number>((sum, mib) => sum + mib, 0) * MIB;

/** `place`: the one it was given in the order of use, counted from the first. */
type Entry<V> = { value: V; bytes: number; place: number };

/** A map that may weigh so many bytes: what was used longest ago goes first. Plain data; keys count, too. */
export class WeighedMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #most: number;
  #bytes = 0;
  #places = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  get(key: string): V | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    // To move one costs more than to find it: what is among the newer half stays where it is.
    if (this.#places - found.place > this.#entries.size / 2) {
      this.#entries.delete(key);
      found.place = ++this.#places;
      this.#entries.set(key, found);
    }
    return found.value;
  }

  /** @param bytes what the value weighs on the heap, its parts and their overhead counted */
  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    const whole = bytes + key.length + SLOT_BYTES;
    this.#entries.set(key, { value, bytes: whole, place: ++this.#places });
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
