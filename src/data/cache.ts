import { AppError } from '../core/errors.ts';
import { formatETag, judge, namedRevision, newestTag } from '../core/revision.ts';
import { holds, type ReadAnswer, unchanged } from './answer.ts';
import { ADMITTED } from './caller.ts';
import type { Ctx } from './ctx.ts';
import type { EdgeTier } from './edge.ts';
import { flight } from './flight.ts';
import { type Computed, keepAnswer } from './keep-answer.ts';
import type { MemoryTier } from './memory.ts';
import { isDown } from './outcome.ts';
import type { Origin, Read } from './read.ts';
import { type ReadingParts, Readings, type Trip } from './readings.ts';
import { ERASED } from './registry.ts';
import { Renewals } from './renewals.ts';
import { outdated, stale } from './stale.ts';
import type { FreshTags, TagRow } from './tags.ts';
import type { CachedAnswer } from './tier.ts';

type CacheParts = ReadingParts & {
  readonly memory: MemoryTier;
  /** Null where the Cache API is switched off. */
  readonly edge: EdgeTier | null;
};

/** A read that its answer is not at hand for. */
type Opened = Read & Origin;
const opened = (read: Read): Opened => ({ ...read, ...read.origin() });

/** An entry, and where it was found. */
type Found = { entry: CachedAnswer | null; tier: 'memory' | 'edge' | 'redis' };

/** Copies deleted at the location at once: each is a subrequest. */
const MOST_DELETED = 200;
const SINGLE_TAG = /^W\/"[^",]+"$/;

/**
 * The only place that knows there are several tiers: memory → Cache API → Redis → Postgres.
 * An entry is served iff `judge` says so, from readings that are at most `maxStaleness` ms old. Cold, it costs one
 * Redis trip that carries tags, entry, rate limit and session at once; a miss adds one trip to Postgres.
 */
export class AnswerCache {
  readonly #parts: CacheParts;
  readonly #readings: Readings;
  readonly #renewals = new Renewals();

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#readings = new Readings(parts);
  }

  /**
   * At once from memory while readings are young enough; a promise wherever there is something to wait for.
   * @throws AppError from `admission` and `load`; revision_ahead
   */
  read(read: Read): ReadAnswer | Promise<ReadAnswer> {
    const { ctx, plan, demand, admission } = read;
    const now = ctx.now();
    if (demand.bypass || !admission.ready(now)) return this.#afar(opened(read), null);
    const readings = this.#readings.fresh(plan, now);
    if (readings === null || readings.head < demand.min) return this.#afar(opened(read), readings);
    admission.decide(ctx);
    this.#readings.renew(ctx, plan, readings, admission);
    const found = this.#near(read);
    const near = this.#serve(read, readings, found) ?? outdated(read, readings, found);
    return near === null ? this.#beside(opened(read), readings) : this.#renewing(read, near);
  }

  /** From parts at hand or the location's own copy, which the readings vouch for; else from afar. */
  async #beside(read: Opened, readings: FreshTags): Promise<ReadAnswer> {
    const made = await this.#composed(read, readings);
    if (made !== null) return made;
    const entry = (await this.#parts.edge?.get(read.ctx, read.plan.key)) ?? null;
    return this.#serve(read, readings, { entry, tier: 'edge' }) ?? this.#afar(read, readings);
  }

  /** From Redis, or computed; `readings` are those that are remembered. */
  async #afar(read: Opened, readings: FreshTags | null): Promise<ReadAnswer> {
    const { ctx, plan, demand, admission } = read;
    const trip = await this.#readings.trip(ctx, plan, demand.bypass, admission);
    let sure = admission.decide(ctx);
    const row = trip?.row ?? null;
    if (trip !== null && row !== null && trip.standing !== 'behind' && !demand.bypass && row.head >= demand.min) {
      const [near, far] = [this.#near(read), { entry: trip.entry, tier: 'redis' } as const];
      const valid = this.#serve(read, row, near) ?? this.#serve(read, row, far);
      const served = valid ?? outdated(read, row, near) ?? outdated(read, row, far);
      if (served !== null && (await this.#stands(read, trip, sure))) return this.#renewing(read, served);
      // Another's parts are no proof of this caller's life, and an unproven reading vouches for nothing by itself.
      const made = served === null && sure && trip.standing === 'sound' ? await this.#composed(read, row) : null;
      if (made !== null) return made;
    }
    const leave = sure ? undefined : read.unsurePlace?.();
    try {
      if (leave === null) {
        await read.confirm(true);
        sure = true;
      }
      // The reading comes before the snapshot; without Redis a remembered one still does.
      const before = trip === null ? readings : row;
      let own = false;
      const work = async (): Promise<Computed> => {
        own = true;
        const at = ctx.now();
        const loaded = await read.load(!sure, before);
        // A state of another epoch says nothing of these rows, and its successor will have another incarnation.
        return { loaded, row: before?.epoch === loaded.epoch ? before : null, at };
      };
      // An unsure caller's computation is its own: what it settles holds for nobody else.
      const compute = sure && !demand.bypass ? () => flight(ctx, plan.key, work) : work;
      return await this.#fill(read, trip, { compute, isOwn: () => own });
    } catch (error) {
      // Whoever may have been signed out gets nothing of what is kept.
      if (!sure && !admission.excused()) throw error;
      return await this.#rescue(read, trip?.entry ?? null, error);
    } finally {
      leave?.();
    }
  }

  /** An answer that is given from before is computed anew behind it. */
  #renewing(read: Read, answer: ReadAnswer): ReadAnswer {
    if (answer.outcome !== 'STALE') return answer;
    const { maxStale: _exact, ...plan } = read.plan;
    const demand = { min: 0, ifNoneMatch: null, bypass: false };
    // Its caller is admitted.
    this.#renewals.begin(read.ctx, plan.key, async (ctx) =>
      this.read({ ...read, ctx, plan, demand, admission: ADMITTED }),
    );
    return answer;
  }

  /** See Readings.since. */
  reading(...asked: Parameters<Readings['since']>): ReturnType<Readings['since']> {
    return this.#readings.since(...asked);
  }

  /** Whether what a reading vouches for may be answered: its caller lives, and Redis is as new as it must be. */
  async #stands({ ctx, plan, admission, confirm }: Opened, trip: Trip, sure: boolean): Promise<boolean> {
    const sound = trip.standing === 'sound';
    if (sure && sound) return true;
    try {
      const head = await confirm(!sure);
      return sound || this.#readings.confirm(ctx, plan, trip, head);
    } catch (error) {
      if (!isDown(error) || !(sure || admission.excused())) throw error;
      // The caller may go on; an unproven reading may not: what it vouches for is answered as what it is, STALE.
      return sound;
    }
  }

  #near({ ctx, plan }: Read): Found {
    return { entry: this.#parts.memory.get(ctx, plan.key), tier: 'memory' };
  }

  /**
   * A 304 needs only the readings, and where answers carry a Link the entry that knows it; an entry is served when it is
   * valid for them. Null when neither holds.
   */
  #serve({ ctx, plan, demand }: Read, row: TagRow, { entry, tier }: Found): ReadAnswer | null {
    const { epoch, incarnation } = row;
    const now = ctx.now();
    const newest = newestTag(row.floor, row.values);
    const present = { epoch, incarnation, newest, representation: plan.representation };
    const valid = entry !== null && judge(entry, row, now) === 'valid';
    if ((valid || !plan.linked) && holds(demand, present, now)) {
      // The tag the caller sent keeps its own end of validity, which may be all that is known of it here.
      const own = SINGLE_TAG.test(demand.ifNoneMatch ?? '') ? demand.ifNoneMatch : null;
      const etag = own ?? formatETag(present, entry?.validUntil ?? null);
      return unchanged({ revision: Math.max(row.head, newest), etag, tier, link: valid ? entry.link : null });
    }
    if (!valid) {
      // Of a life that has ended; maybe because somebody was erased. So are all others of it.
      if (tier === 'memory' && entry !== null && entry.incarnation !== row.incarnation)
        this.#drop(ctx, plan.companyId, row.incarnation);
      return null;
    }
    if (tier !== 'memory') this.#parts.memory.set(ctx, plan.key, entry);
    if (tier === 'redis' && this.#parts.edge !== null) ctx.waitUntil(this.#parts.edge.set(ctx, plan.key, entry));
    const named = { ...present, newest: namedRevision(entry.revision, row) };
    const etag = formatETag(named, entry.validUntil);
    const revision = Math.max(entry.revision, row.head);
    const { body, link } = entry;
    if (named.newest !== newest && holds(demand, named, now)) return unchanged({ revision, etag, tier, link });
    return { status: 200, body, revision, etag, link, outcome: 'HIT', tier, stored: false };
  }

  /** An answer of parts: an entry of the reading's own moment, which it vouches for. */
  async #composed(read: Opened, row: TagRow): Promise<ReadAnswer | null> {
    const loaded = (await read.compose?.(row)) ?? null;
    if (loaded === null) return null;
    const entry = keepAnswer(read, this.#parts, { loaded, row, at: read.ctx.now() });
    return this.#serve(read, row, { entry, tier: 'memory' });
  }

  async #fill(
    { ctx, plan, demand, heal }: Opened,
    trip: Trip | null,
    { compute, isOwn }: { compute: () => Promise<Computed>; isOwn: () => boolean },
  ): Promise<ReadAnswer> {
    let computed = await compute();
    // A shared computation may predate what this caller, or this isolate, has seen.
    const seen = Math.max(demand.min, this.#parts.tags.newest(plan.companyId));
    if (computed.loaded.revision < seen && !isOwn()) computed = await compute();
    const { loaded, row } = computed;
    if (loaded.revision < demand.min) {
      throw new AppError('revision_ahead', `The company is at revision ${loaded.revision}.`, {
        extra: { revision: loaded.revision },
      });
    }
    const entry = keepAnswer({ ctx, plan }, this.#parts, computed);
    const { epoch, incarnation } = entry;
    const newest = namedRevision(loaded.revision, row);
    const named = { epoch, incarnation, newest, representation: plan.representation };
    const etag = formatETag(named, loaded.validUntil);
    if (trip?.missing === true || (trip?.row ?? loaded).epoch < loaded.epoch) ctx.waitUntil(heal(loaded));
    else if (trip !== null) this.#readings.confirm(ctx, plan, trip, loaded);
    const same = holds(demand, named, ctx.now());
    return {
      status: same ? 304 : 200,
      body: same ? null : entry.body,
      revision: loaded.revision,
      etag,
      link: loaded.link,
      outcome: demand.bypass ? 'BYPASS' : 'MISS',
      tier: null,
      stored: true,
    };
  }

  /** Drops what this isolate keeps of a company, and its copies at the location. */
  forget(ctx: Ctx, companyId: string): void {
    this.#drop(ctx, companyId, null);
  }

  #drop(ctx: Ctx, companyId: string, kept: string | null): void {
    const { memory, edge, redis } = this.#parts;
    const gone = memory.forget(redis.key(companyId, ''), kept);
    if (edge !== null) ctx.waitUntil(Promise.all(gone.slice(0, MOST_DELETED).map((key) => edge.delete(key))));
  }

  /** Postgres is down: what is left, marked STALE. */
  async #rescue(read: Read, found: CachedAnswer | null, error: unknown): Promise<ReadAnswer> {
    const { ctx, plan, demand, admission } = read;
    const busy = error instanceof AppError && error.code === 'busy';
    if (!(busy || isDown(error)) || demand.bypass) throw error;
    const trip = await this.#readings.trip(ctx, { ...plan, tags: [ERASED] }, true, admission);
    const answer = await stale(read, this.#parts, { found, row: trip?.standing === 'sound' ? trip.row : null });
    if (answer === null) throw error;
    return answer;
  }
}
