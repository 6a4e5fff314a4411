import { Pace } from '../core/pace.ts';

/** For how long one look answers everybody, ms: nobody makes a dependency late by asking whether it is. */
const FRESH = 1000;
/** Kinds of looks that are remembered. */
const MOST = 20;

type Looked<T> = { at: number; found: T | null; looking: number };

/** One look of each kind answers everybody of this isolate for a second. Plain data, bounded. */
export class SharedLook<T> {
  readonly #lost: number;
  readonly #looks = new Map<string, Looked<T>>();

  /** @param lost a look that takes longer belongs to a request that is gone, ms */
  constructor(lost: number) {
    this.#lost = lost;
  }

  /** The look of the last second, or a new one; who comes while somebody looks waits for it on a timer of their own. */
  async take(kind: string, now: () => number, look: () => Promise<T>): Promise<T> {
    let known = this.#looks.get(kind);
    if (known === undefined) {
      if (this.#looks.size >= MOST) this.#looks.clear();
      known = { at: 0, found: null, looking: 0 };
      this.#looks.set(kind, known);
    }
    for (;;) {
      const at = now();
      if (known.found !== null && Math.abs(at - known.at) < FRESH) return known.found;
      if (known.looking === 0 || Math.abs(at - known.looking) > this.#lost) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const mine = now();
    known.looking = mine;
    try {
      known.found = await look();
      known.at = now();
      return known.found;
    } finally {
      if (known.looking === mine) known.looking = 0;
    }
  }
}

/** So many answers a minute at once, and in a burst; whoever asks for more is one who asks in a loop, and waits a second. */
const pace = new Pace(20 * 60, 100);
const LOOPING = 1000;
/** Beyond so many that wait, waiting would cost more than it spares. */
const MOST_WAITING = 500;
let waiting = 0;

/** A loop that is answered at once asks at once again, and takes the isolate from those who work. */
export async function unhurried(now: number): Promise<void> {
  if (pace.readyAt(now) <= now) return pace.spend(1, now);
  if (waiting >= MOST_WAITING) return;
  waiting += 1;
  await new Promise((resolve) => setTimeout(resolve, LOOPING));
  waiting -= 1;
}
