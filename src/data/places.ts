/**
 * What a call to Postgres is for; each kind has its share of the isolate's places. `heavy`: a read that keeps a processor of the
 * database busy, as searches and reports do.
 */
export type Share = 'read' | 'heavy' | 'write' | 'auth' | 'jobs';

/** Places of an isolate. Tenants' reads and writes never take those of sign-in and cron work, nor writes those of reads. */
type Shares = {
  all: number;
  auth: number;
  jobs: number;
  /** Reads and writes of companies together. */
  tenants: number;
  writes: number;
  /** Of one company: they run one at a time anyway, so one works and one is ready. */
  writesOfOne: number;
  readsOfOne: number;
  /** Of those: a database has few processors, and whoever asks for little would wait behind as many as there are. */
  heavyOfOne: number;
};

/** @param limit the isolate's places in all; below five the shares shrink into each other */
export function sharesOf(limit: number): Shares {
  const auth = Math.max(1, Math.floor(limit * 0.15));
  const jobs = Math.max(1, Math.floor(limit * 0.1));
  const tenants = Math.max(1, limit - auth - jobs);
  const writes = Math.max(1, Math.floor((tenants * 2) / 3));
  const readsOfOne = Math.max(1, Math.floor(tenants * 0.4));
  return {
    all: limit,
    auth,
    jobs,
    tenants,
    writes,
    writesOfOne: Math.min(2, writes),
    readsOfOne,
    heavyOfOne: Math.min(2, readsOfOne),
  };
}

/** One call that wants a place, waits for one or holds one. */
export type Bid = { lane: Lane; readonly order: number; seen: number; queued: boolean };

/** The calls of one company and kind, first come first served; those of sign-in and cron work have one lane each. */
type Lane = {
  readonly share: Share;
  readonly companyId: string | null;
  readonly made: number;
  held: number;
  waiting: Bid[];
  next: number;
  /** Number of the grant it was last served with; 0 for never. */
  served: number;
};

const keyOf = (share: Share, companyId: string | null): string =>
  companyId === null ? share : `${share} ${companyId}`;

/** Who has not asked for so long, ms, has gone: a request that ended early leaves no other trace. */
const GONE = 1000;
const LONGEST_PAUSE = 250;

/**
 * The isolate's places for database calls, as plain numbers: whoever finds none asks again on a timer of its own, because
 * in workerd a promise settled by another request may hang for ever. Within a lane the order of coming holds; among lanes
 * the one served longest ago comes first, so a company that asks once is not behind one that asks a thousand times.
 */
export class Places {
  readonly #shares: Shares;
  readonly #lease: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Set<Lane>();
  /** Since when each place is held; the oldest first. */
  readonly #held = new Map<Bid, number>();
  readonly #used: Record<Share, number> = { read: 0, heavy: 0, write: 0, auth: 0, jobs: 0 };
  #served = 0;
  #made = 0;

  /** @param lease ms after which a place is free again whatever became of its holder, who may have been cancelled */
  constructor(shares: Shares, lease: number) {
    this.#shares = shares;
    this.#lease = lease;
  }

  /** A new bid, at the end of its lane. @param companyId null for sign-in and cron work */
  bid(share: Share, companyId: string | null, now: number): Bid {
    const lane = this.#lane(share, companyId);
    const bid = { lane, order: lane.next, seen: now, queued: true };
    lane.next += 1;
    lane.waiting.push(bid);
    this.#waiting.add(lane);
    return bid;
  }

  /** Whether the bid holds a place from now on. Asked again until it does, or `leave`. */
  take(bid: Bid, now: number): boolean {
    bid.seen = now;
    if (!bid.queued) this.#rejoin(bid);
    const oldest = this.#held.entries().next().value;
    // Either way: a clock that stepped back must not keep a place that nobody gives back.
    if (oldest !== undefined && Math.abs(now - oldest[1]) >= this.#lease) this.release(oldest[0]);
    if (!this.#isNext(bid, now)) return false;
    const { lane } = bid;
    this.#unqueue(bid);
    lane.held += 1;
    lane.served = ++this.#served;
    this.#used[lane.share] += 1;
    this.#held.set(bid, now);
    return true;
  }

  /** Gives the place back. */
  release(bid: Bid): void {
    // The lease may have ended before the call did.
    if (!this.#held.delete(bid)) return;
    bid.lane.held -= 1;
    this.#used[bid.lane.share] -= 1;
    this.#tidy(bid.lane);
  }

  /** Stops waiting. */
  leave(bid: Bid): void {
    if (bid.queued) this.#unqueue(bid);
    this.#tidy(bid.lane);
  }

  /** How long to wait before asking again, ms: the head of a lane asks often, a crowd behind it does not. */
  pause(bid: Bid): number {
    const ahead = bid.order - (bid.lane.waiting[0]?.order ?? bid.order);
    return Math.min(LONGEST_PAUSE, 4 + 2 * ahead);
  }

  /** Places in use, and bids that wait. */
  counts(): { held: number; waiting: number } {
    let waiting = 0;
    for (const lane of this.#waiting) waiting += lane.waiting.length;
    return { held: this.#held.size, waiting };
  }

  #lane(share: Share, companyId: string | null): Lane {
    const key = keyOf(share, companyId);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { share, companyId, made: ++this.#made, held: 0, waiting: [], next: 0, served: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** How many more a lane may hold. */
  #leftOf({ share, companyId, held }: Lane): number {
    const { writesOfOne, readsOfOne, heavyOfOne } = this.#shares;
    if (share === 'auth' || share === 'jobs') return this.#shares[share] - held;
    if (share === 'write') return writesOfOne - held;
    const other = this.#lanes.get(keyOf(share === 'read' ? 'heavy' : 'read', companyId));
    const left = readsOfOne - held - (other?.held ?? 0);
    return share === 'read' ? left : Math.min(left, heavyOfOne - held);
  }

  /** Free places that other lanes of this kind may want as well. */
  #common(share: Share): number {
    const { write, auth, jobs } = this.#used;
    const read = this.#used.read + this.#used.heavy;
    const { all, tenants, writes } = this.#shares;
    const left = all - read - write - auth - jobs;
    if (share === 'auth' || share === 'jobs') return left;
    return Math.min(left, tenants - read - write, share === 'write' ? writes - write : tenants);
  }

  #isNext(bid: Bid, now: number): boolean {
    const { lane } = bid;
    const common = this.#common(lane.share);
    const free = Math.min(this.#leftOf(lane), common);
    if (free <= 0 || this.#before(bid, free, now) >= free) return false;
    if (this.#waiting.size <= common) return true;
    let lanes = 0;
    for (const other of this.#waiting) {
      const later = other.served === lane.served ? other.made > lane.made : other.served > lane.served;
      if (other === lane || later || this.#leftOf(other) <= 0) continue;
      if (this.#common(other.share) > 0 && this.#firstOf(other, now) !== undefined) lanes += 1;
    }
    return lanes < common;
  }

  /** Living bids before this one in its lane, counted up to `most`. */
  #before(bid: Bid, most: number, now: number): number {
    this.#firstOf(bid.lane, now);
    let before = 0;
    for (const other of bid.lane.waiting) {
      if (other === bid || before >= most) break;
      if (Math.abs(now - other.seen) <= GONE) before += 1;
    }
    return before;
  }

  /** The first of a lane that still asks; those before it are dropped. */
  #firstOf(lane: Lane, now: number): Bid | undefined {
    let gone = 0;
    for (const bid of lane.waiting) {
      if (Math.abs(now - bid.seen) <= GONE) break;
      bid.queued = false;
      gone += 1;
    }
    if (gone > 0) {
      lane.waiting.splice(0, gone);
      this.#tidy(lane);
    }
    return lane.waiting[0];
  }

  /** One that was taken for gone, because the isolate stood still, is back where it was. */
  #rejoin(bid: Bid): void {
    const lane = this.#lane(bid.lane.share, bid.lane.companyId);
    bid.lane = lane;
    const behind = lane.waiting.findIndex(({ order }) => order > bid.order);
    lane.waiting.splice(behind < 0 ? lane.waiting.length : behind, 0, bid);
    bid.queued = true;
    this.#waiting.add(lane);
  }

  #unqueue(bid: Bid): void {
    const { waiting } = bid.lane;
    const index = waiting.indexOf(bid);
    if (index >= 0) waiting.splice(index, 1);
    bid.queued = false;
    if (waiting.length === 0) this.#waiting.delete(bid.lane);
  }

  #tidy(lane: Lane): void {
    if (lane.waiting.length === 0) this.#waiting.delete(lane);
    if (lane.held === 0 && lane.waiting.length === 0) this.#lanes.delete(keyOf(lane.share, lane.companyId));
  }
}
