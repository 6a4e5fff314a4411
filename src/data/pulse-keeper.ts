import type { Ctx } from './ctx.ts';
import { beatKey, eraKey, markKey } from './pulse.ts';
import { type RedisStore, tell } from './redis.ts';

/** The mark that Redis is known to have taken, and the one it was last asked to take, perhaps without an answer. */
export type Marks = { taken: number; tried: number };

/** Where a watch keeps its marks: anywhere but in Redis. */
type MarkStore = { read(): Marks | null; write(marks: Marks): void };

/** `calming`: Redis is sound, but was out of reach or behind a moment ago. */
type Beat = 'beaten' | 'renewed' | 'calming' | 'failed';

/** How long all must have been well before the watch vouches again, ms: rooms that could not announce go first. */
const CALM = 5000;

/**
 * Writes a growing mark to Redis and keeps elsewhere what it wrote. An older or missing mark means that Redis was set
 * back; then the era is renewed. Several watches may share one Redis: each has a mark of its own.
 */
export class PulseKeeper {
  readonly #redis: RedisStore;
  readonly #id: string;
  readonly #store: MarkStore;
  #troubledAt = Number.NEGATIVE_INFINITY;
  #busy = false;

  constructor(redis: RedisStore, id: string, store: MarkStore) {
    this.#redis = redis;
    this.#id = id;
    this.#store = store;
  }

  /** Looks whether Redis is where it was left, and moves it on. One at a time: two would take each other for a set-back. */
  async beat(ctx: Ctx): Promise<Beat> {
    if (this.#busy) return 'calming';
    this.#busy = true;
    try {
      return await this.#step(ctx);
    } finally {
      this.#busy = false;
    }
  }

  /** An announcement does not reach Redis: readings are to be confirmed until that has passed. */
  async alert(ctx: Ctx): Promise<void> {
    this.#troubledAt = ctx.now();
    await tell(this.#redis, ctx, (p) => p.set(beatKey(this.#redis), 0));
  }

  /** Whether the last trouble is too young to vouch for anything. */
  isTroubled(now: number): boolean {
    return now >= this.#troubledAt && now - this.#troubledAt < CALM;
  }

  async #step(ctx: Ctx): Promise<Beat> {
    const mark = markKey(this.#redis, this.#id);
    const era = eraKey(this.#redis);
    const found = await this.#redis.trip(
      ctx,
      (p) => p.mget(era, mark),
      ([answer]) => {
        if (!Array.isArray(answer)) throw new Error('shape');
        const number = Number(answer[1] ?? Number.NaN);
        return { era: answer[0] as unknown, mark: Number.isSafeInteger(number) ? number : null };
      },
    );
    if (found === null) return this.#trouble(ctx);
    const kept = this.#store.read();
    // A watch that has never written cannot tell; whoever wrote before it could.
    const sound = found.era !== null && (kept === null || isWhereItWasLeft(kept, found.mark));
    const next = Math.max(kept?.tried ?? 0, found.mark ?? 0) + 1;
    this.#store.write({ taken: kept?.taken ?? 0, tried: next });
    const vouches = !this.isTroubled(ctx.now());
    const written = await tell(this.#redis, ctx, (p) =>
      p.mset({
        [mark]: next,
        ...(sound ? {} : { [era]: crypto.randomUUID() }),
        ...(vouches ? { [beatKey(this.#redis)]: ctx.now() } : {}),
      }),
    );
    if (!written) return this.#trouble(ctx);
    this.#store.write({ taken: next, tried: next });
    if (!sound) return 'renewed';
    return vouches ? 'beaten' : 'calming';
  }

  #trouble(ctx: Ctx): Beat {
    this.#troubledAt = ctx.now();
    return 'failed';
  }
}

/** Whether Redis holds what the watch wrote last. A mark without an answer may have been taken or not. */
export const isWhereItWasLeft = ({ taken, tried }: Marks, mark: number | null): boolean =>
  mark === taken || mark === tried;
