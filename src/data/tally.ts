import { type Counts, countTime, newCounts, PLACE } from '../core/counts.ts';
import type { Ctx } from './ctx.ts';
import { type MonitorOf, SLOT, type Slot } from './monitor.ts';

/** How long an isolate counts before it tells the monitor, ms. */
const EVERY = 10_000;
/** Who was to tell and has not after so long never will, ms: its request was ended. */
const LOST = 2 * EVERY;
/** Longest wait for the monitor, ms. Nobody waits for it but the call itself. */
const DEADLINE = 5000;
/** Names of slow calls in a slot, and slots that wait to be told. */
const MOST_NAMES = 50;
const MOST_SLOTS = 12;

const COUNTED_AS = { MISS: 'miss', STALE: 'stale', BYPASS: 'bypass' } as const;

type Slowest = Map<string, { count: number; longest: number }>;

/**
 * What this isolate has counted and not told yet: plain numbers, bounded. A count costs a few additions; the monitor hears of
 * them behind an answer, at most every ten seconds, and what does not reach it is lost.
 */
export class Tally {
  readonly #monitor: MonitorOf;
  #from = 0;
  #counts: Counts = newCounts();
  #slow: Slowest = new Map();
  #isEmpty = true;
  #closed: Slot[] = [];
  /** When somebody promised to tell, or told, ms. */
  #promised = Number.NEGATIVE_INFINITY;
  #told = Number.NEGATIVE_INFINITY;

  constructor(monitor: MonitorOf) {
    this.#monitor = monitor;
  }

  /** A request was answered. Sees to it that the monitor is told. */
  request(ctx: Ctx, status: number): void {
    const now = ctx.now();
    const counts = this.#at(now);
    const ms = Math.max(0, now - ctx.startedAt - ctx.times.wait);
    add(counts, PLACE.requests, 1);
    add(counts, PLACE.ms, ms);
    countTime(counts, ms);
    // Whoever is sent away for want of a turn was refused; nothing failed, and one company's storm is no fault for all.
    if (status >= 500 && ctx.notes.code !== 'busy') add(counts, PLACE.serverErrors, 1);
    else if (status >= 400) add(counts, PLACE.clientErrors, 1);
    if (Math.abs(now - this.#promised) < LOST) return;
    this.#promised = now;
    ctx.waitUntil(this.#tellLater(ctx));
  }

  /** A cached route was answered: from this tier, or as it says. */
  read(ctx: Ctx, outcome: 'HIT' | 'MISS' | 'STALE' | 'BYPASS', tier: 'memory' | 'edge' | 'redis' | null): void {
    add(this.#at(ctx.now()), PLACE[outcome === 'HIT' ? (tier ?? 'memory') : COUNTED_AS[outcome]], 1);
  }

  /** A call of Postgres ended. Whoever makes calls and answers no requests, a room, tells of them here. */
  query(ctx: Ctx, name: string, ms: number, slow: boolean): void {
    const now = ctx.now();
    const counts = this.#at(now);
    add(counts, PLACE.queries, 1);
    add(counts, PLACE.queryMs, Math.max(0, ms));
    if (slow) {
      add(counts, PLACE.slowQueries, 1);
      const known = this.#slow.get(name);
      if (known !== undefined || this.#slow.size < MOST_NAMES)
        this.#slow.set(name, { count: (known?.count ?? 0) + 1, longest: Math.max(known?.longest ?? 0, ms) });
    }
    if (Math.abs(now - this.#told) < LOST || Math.abs(now - this.#promised) < LOST) return;
    this.#told = now;
    ctx.waitUntil(this.#tell(ctx));
  }

  redis(ctx: Ctx, ms: number): void {
    const counts = this.#at(ctx.now());
    add(counts, PLACE.redisTrips, 1);
    add(counts, PLACE.redisMs, Math.max(0, ms));
  }

  /** What was counted and not told yet: it is told by whoever takes it. */
  take(): Slot[] {
    this.#close();
    const slots = this.#closed;
    this.#closed = [];
    return slots;
  }

  async #tellLater(ctx: Ctx): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    this.#promised = Number.NEGATIVE_INFINITY;
    await this.#tell(ctx);
  }

  async #tell(ctx: Ctx): Promise<void> {
    const slots = this.take();
    this.#told = ctx.now();
    if (slots.length === 0) return;
    // A call to an object that hangs never settles.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DEADLINE);
    });
    const told = (async () => this.#monitor().report(slots))().catch(() => undefined);
    await Promise.race([told, late]);
    clearTimeout(timer);
  }

  /** The block of this moment. */
  #at(now: number): Counts {
    if (now < this.#from || now >= this.#from + SLOT) {
      this.#close();
      this.#from = now - (now % SLOT);
    }
    this.#isEmpty = false;
    return this.#counts;
  }

  #close(): void {
    if (this.#isEmpty) return;
    const slow = [...this.#slow].map(([name, { count, longest }]) => ({ name, count, longest }));
    this.#closed.push({ at: this.#from, counts: this.#counts, slow });
    if (this.#closed.length > MOST_SLOTS) this.#closed.shift();
    this.#counts = newCounts();
    this.#slow = new Map();
    this.#isEmpty = true;
  }
}

function add(counts: Counts, place: number, amount: number): void {
  counts[place] = (counts[place] ?? 0) + amount;
}
