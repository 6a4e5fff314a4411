import type { Ctx } from './ctx.ts';
import type { CachedAnswer, Tier } from './tier.ts';
import { shareOf, WeighedMap } from './weighed.ts';

const LARGEST = 1024 * 1024;
/** An entry beside its body and its link: the objects, their strings, the buffer's own (measured: bench/heap.ts). */
const ENTRY_BYTES = 1100;

/** How far the clock of whoever stored an entry may be ahead, ms. */
const SKEW = 5000;

/** The isolate's own tier: the least recently used entry goes first. */
export class MemoryTier implements Tier {
  readonly name = 'memory' as const;
  readonly #entries: WeighedMap<CachedAnswer>;

  constructor(mostBytes: number = shareOf('answers')) {
    this.#entries = new WeighedMap(mostBytes);
  }

  get(ctx: Ctx, key: string): CachedAnswer | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const now = ctx.now();
    // One from the future was stored before the clock stepped back: when it ends is not known any more.
    if (now < entry.expiresAt && now > entry.storedAt - SKEW) return entry;
    this.#entries.delete(key);
    return null;
  }

  /** Drops what begins with `prefix` but for entries of the life `kept` of the tag state. @returns the keys */
  forget(prefix: string, kept: string | null): string[] {
    return this.#entries.deleteWhere(
      (key, { incarnation }) => key.startsWith(prefix) && (kept === null || incarnation !== kept),
    );
  }

  set(_ctx: Ctx, key: string, entry: CachedAnswer): void {
    if (entry.body.byteLength > LARGEST) return;
    const old = this.#entries.get(key);
    // Two fills may end out of order; the newer snapshot stays, unless another life of the tag state vouches for it.
    const same = old?.epoch === entry.epoch && old.incarnation === entry.incarnation;
    if (same && old.revision > entry.revision) return;
    this.#entries.set(key, entry, entry.body.byteLength + (entry.link?.length ?? 0) + ENTRY_BYTES);
  }
}
