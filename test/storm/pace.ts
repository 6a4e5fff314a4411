import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';

export type Plan = {
  /** Writes that succeed; a third as many more fail on purpose. */
  writes: number;
  /** Reads that are answered and checked. */
  reads: number;
  kills: number;
  wipes: number;
  seed: number;
  writersPerCompany: number;
  readers: number;
};

const LEAD = 0.02;

/**
 * The mean pause between two requests of one caller, ms, found while running: a machine that is asked for more than it
 * can do answers late, Redis misses its deadline of 250 ms, and what is measured is the machine.
 */
class Patience {
  pause: number;
  readonly #target: number;
  readonly #most: number;
  #sum = 0;
  #count = 0;
  #since = performance.now();

  /** @param target mean latency to keep to, ms */
  constructor(pause: number, target: number, most: number) {
    this.pause = pause;
    this.#target = target;
    this.#most = most;
  }

  note(latency: number): void {
    this.#sum += latency;
    this.#count += 1;
    const now = performance.now();
    if (now - this.#since < 500) return;
    const late = this.#sum / this.#count > this.#target;
    this.pause = Math.min(this.#most, Math.max(5, this.pause * (late ? 1.25 : 0.9)));
    this.#sum = 0;
    this.#count = 0;
    this.#since = now;
  }
}

/** Keeps reads and writes in step, so that neither kind ends long before the other, and knows how far the storm is. */
export class Pace {
  readonly #plan: Plan;
  readonly #ledger: Ledger;
  readonly reads = new Patience(100, 150, 2000);
  readonly writes = new Patience(1000, 500, 6000);
  /** Set by the disturber: the storm does not end before all its kills and wipes. */
  disturbed = false;

  constructor(plan: Plan, ledger: Ledger) {
    this.#plan = plan;
    this.#ledger = ledger;
  }

  get written(): number {
    return this.#ledger.tally('write.ok') / this.#plan.writes;
  }

  get read(): number {
    return this.#ledger.tally('reads') / this.#plan.reads;
  }

  get over(): boolean {
    return this.written >= 1 && this.read >= 1 && this.disturbed;
  }

  /**
   * Resolves when a writer may go on; reads that are done hold nobody back. For a short while of every ten seconds nobody
   * thinks before writing, and all fifty of a company stand at its head.
   */
  async writer(random: Random): Promise<void> {
    const rush = performance.now() % 10_000 < 500;
    await pause(rush ? 0 : random.below(2 * this.writes.pause));
    while (!this.over && this.written > this.read + LEAD && this.read < 1) await pause(10);
  }

  async reader(random: Random): Promise<void> {
    await pause(random.below(2 * this.reads.pause));
    while (!this.over && this.read > this.written + LEAD && this.written < 1) await pause(10);
  }
}
