import { behind, type Ctx } from './ctx.ts';

/** Whoever began so long ago, ms, may have been ended by the runtime: then somebody else does it. */
const PATIENCE = 10_000;
/** Beyond so many under way none is remembered twice. */
const MOST = 1000;

/** What is computed anew behind answers, each by one request of this isolate at a time. Plain data, bounded. */
export class Renewals {
  readonly #since = new Map<string, number>();

  /** Begins the work behind the answer, unless it is under way. What fails is tried again by whoever asks next. */
  begin(ctx: Ctx, key: string, work: (ctx: Ctx) => Promise<unknown>): void {
    const now = ctx.now();
    const since = this.#since.get(key) ?? Number.NEGATIVE_INFINITY;
    if (now >= since && now - since < PATIENCE) return;
    if (this.#since.size >= MOST) this.#since.clear();
    this.#since.set(key, now);
    // In a turn of its own: it would come before the answer.
    const done = new Promise((turn) => setTimeout(turn, 0))
      .then(() => work(behind(ctx)))
      .finally(() => this.#since.delete(key));
    ctx.waitUntil(done.catch(() => undefined));
  }
}
