import type { Ctx } from './context.ts';
import type { CachedAnswer, Tier } from './tier.ts';

/** An isolate has 128 MB for everything. */
const MOST_BYTES = 24 * 1024 * 1024;
const LARGEST = 1024 * 1024;

/** The isolate's own tier: the least recently used entry goes first. */
export class MemoryTier implements Tier {
  readonly name = 'memory' as const;
  readonly #entries = new Map<string, CachedAnswer>();
  readonly #most: number;
  #bytes = 0;

  constructor(mostBytes: number = MOST_BYTES) {
    this.#most = mostBytes;
  }

  get(ctx: Ctx, key: string): CachedAnswer | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    if (ctx.now() >= entry.expiresAt) {
      this.#bytes -= entry.body.byteLength;
      return null;
    }
    this.#entries.set(key, entry);
    return entry;
  }

  /** Drops what begins with `prefix` but for entries of the life `kept` of the tag state. @returns the keys */
  forget(prefix: string, kept: string | null): string[] {
    const gone: string[] = [];
    for (const [key, { incarnation, body }] of this.#entries) {
      if (!key.startsWith(prefix) || (kept !== null && incarnation === kept)) continue;
      this.#entries.delete(key);
      this.#bytes -= body.byteLength;
      gone.push(key);
    }
    return gone;
  }

  set(_ctx: Ctx, key: string, entry: CachedAnswer): void {
    if (entry.body.byteLength > LARGEST) return;
    const old = this.#entries.get(key);
    if (old !== undefined) {
      this.#entries.delete(key);
      this.#bytes -= old.body.byteLength;
      // Two fills may end out of order; the newer snapshot stays, unless another life of the tag state vouches for it.
      const same = old.epoch === entry.epoch && old.incarnation === entry.incarnation;
      if (same && old.revision > entry.revision) entry = old;
    }
    this.#entries.set(key, entry);
    this.#bytes += entry.body.byteLength;
    for (const [oldest, { body }] of this.#entries) {
      if (this.#bytes <= this.#most) break;
      this.#entries.delete(oldest);
      this.#bytes -= body.byteLength;
    }
  }
}
