import { foundOut } from './alone.ts';
import type { ReadPlan } from './answer.ts';
import type { Admission } from './caller.ts';
import { behind, type Ctx } from './ctx.ts';
import { beatKey, eraKey, readPulse } from './pulse.ts';
import type { RedisStore } from './redis.ts';
import { type FreshTags, readTagRow, type TagMemory, type TagRow, tagFields, tagsKey } from './tags.ts';
import { type CachedAnswer, decodeEntry } from './tier.ts';

/** Where the database is: what Postgres says of a company. */
export type Head = { epoch: string; revision: number };

/**
 * What one trip to Redis said. `sound`: the watch has lately found Redis in order. `unproven`: it has not, so the reading
 * counts only once Postgres has confirmed its head. `behind`: this isolate has seen newer than Redis knows.
 */
export type Trip = {
  row: TagRow | null;
  /** Redis holds no state of the company at all. */
  missing: boolean;
  entry: CachedAnswer | null;
  at: number;
  standing: 'sound' | 'unproven' | 'behind';
};

export type ReadingParts = {
  readonly redis: RedisStore;
  readonly tags: TagMemory;
  /** Longest use of a tag reading, ms counted from Redis. */
  readonly maxStaleness: number;
  /** Asks the company's room to look whether Redis is behind this head, and to announce again if so. */
  suspect(ctx: Ctx, companyId: string, head: Head): void;
  /** Asks the watch to look after Redis. */
  wake(ctx: Ctx): void;
};

/** What of a read a reading is about. */
type Asked = Pick<ReadPlan, 'companyId' | 'tags' | 'key'>;

/** The watch rests unless it is asked again within two minutes: each isolate in use does so once in this time, ms. */
const WAKE = 60_000;
/** And at most so often while no beat is heard, ms. */
const WAKE_AGAIN = 1000;

/** Reads a company's tags from Redis, with whatever else a cold read needs, and says whether they can be believed. */
export class Readings {
  readonly #parts: ReadingParts;
  #wokenAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** A reading that this isolate remembers and may still use. */
  fresh(plan: ReadPlan, now: number): FreshTags | null {
    return this.#parts.tags.fresh(plan.companyId, plan.tags, now, this.#parts.maxStaleness);
  }

  /**
   * What Redis says of tags, asked no earlier than `since` (ms), and believed; requests that come together share it. Null when it
   * cannot be asked or believed.
   */
  async since(
    ctx: Ctx,
    { companyId, tags, since }: Pick<ReadPlan, 'companyId' | 'tags'> & { since: number },
    admission: Admission,
  ): Promise<FreshTags | null> {
    const plan = { companyId, tags, key: '' };
    const known = (): FreshTags | null => this.#parts.tags.fresh(companyId, tags, ctx.now(), ctx.now() - since);
    return foundOut(ctx, `tags ${companyId} ${tags.join(' ')}`, known, async () => {
      const trip = await this.trip(ctx, plan, true, admission);
      return trip === null || trip.row === null || trip.standing !== 'sound' ? null : { ...trip.row, at: trip.at };
    });
  }

  /** The one Redis trip of a cold read, in three commands. Null when Redis cannot be asked. */
  async trip(ctx: Ctx, plan: Asked, tagsOnly: boolean, admission: Admission): Promise<Trip | null> {
    const { redis, tags } = this.#parts;
    const at = ctx.now();
    const pulse = [eraKey(redis), beatKey(redis)];
    const trip = await redis.trip(
      ctx,
      (pipeline) => {
        pipeline.hmget(tagsKey(redis, plan.companyId), ...tagFields(plan.tags));
        pipeline.mget(...(tagsOnly ? pulse : [...pulse, plan.key]));
        admission.ask(pipeline, at);
      },
      ([state, others, ...rest]): Trip => {
        admission.learn(rest, at);
        if (!Array.isArray(others) || others.length < pulse.length) throw new Error('shape');
        const [era, beat, text] = others as unknown[];
        const { era: known, live } = readPulse(era, beat, at);
        if (known === null || !live || at - this.#wokenAt > WAKE) this.#wake(ctx, at);
        const row = readTagRow(state, plan.tags, known ?? '');
        return {
          row: known === null ? null : row,
          missing: row === null,
          entry: typeof text === 'string' ? decodeEntry(text) : null,
          at,
          standing: live ? 'sound' : 'unproven',
        };
      },
    );
    if (trip === null || trip.row === null) return trip;
    if (!tags.admits(plan.companyId, trip.row)) {
      this.#suspect(ctx, plan.companyId);
      return { ...trip, standing: 'behind' };
    }
    if (trip.standing === 'sound') tags.learn(plan.companyId, plan.tags, trip.row, trip.at);
    return trip;
  }

  /** Whether a reading agrees with Postgres, which is then as good as a beat. */
  confirm(ctx: Ctx, plan: ReadPlan, { row, standing, at }: Trip, head: Head): boolean {
    if (row === null) return false;
    if (row.epoch !== head.epoch || row.head < head.revision) {
      this.#suspect(ctx, plan.companyId);
      return false;
    }
    if (standing === 'unproven') this.#parts.tags.learn(plan.companyId, plan.tags, row, at);
    return standing !== 'behind';
  }

  /**
   * Renews a reading before it ends, behind an answer: otherwise all requests in flight at its end would ask Redis.
   * One at a time per company, as far as this isolate knows.
   */
  renew(ctx: Ctx, plan: ReadPlan, readings: FreshTags, admission: Admission): void {
    const { tags, maxStaleness } = this.#parts;
    if (tags.renews(plan.companyId, readings.at, ctx.now(), maxStaleness / 2))
      ctx.waitUntil(this.trip(behind(ctx), plan, true, admission));
  }

  #wake(ctx: Ctx, now: number): void {
    // A clock that stepped back may ask too often, never too seldom.
    if (now >= this.#wokenAt && now - this.#wokenAt < WAKE_AGAIN) return;
    this.#wokenAt = now;
    this.#parts.wake(ctx);
  }

  #suspect(ctx: Ctx, companyId: string): void {
    const { tags, suspect } = this.#parts;
    const seen = tags.seen(companyId);
    if (seen !== null && tags.suspects(companyId, ctx.now())) suspect(ctx, companyId, seen);
  }
}
