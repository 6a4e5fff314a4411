import type { Pace } from '../core/pace.ts';
import { Turns } from './turns.ts';

/** Clock and timer of whoever runs the desk. */
export type DeskTime = { now(): number; after(ms: number, work: () => void): void };

/**
 * Where writes wait for their turn. A waiting caller is answered by whoever ends a turn, and in any case by the desk's own
 * timer: nobody's answer hangs on another request alone.
 */
export class TurnDesk {
  readonly #turns: Turns;
  readonly #callers = new Map<string, (begun: boolean) => void>();
  readonly #time: DeskTime;
  /** When the timer that is set will ring. */
  #rings = Number.POSITIVE_INFINITY;

  constructor(time: DeskTime, pace: Pace) {
    this.#time = time;
    this.#turns = new Turns(pace);
  }

  /** See Turns. */
  begin(id: string, units: number): boolean {
    return this.#turns.begin(id, units, this.#time.now());
  }

  /** True when the turn has come, false when it did not within `patience` ms or could not, as too many wait. */
  wait(id: string, units: number, patience: number): Promise<boolean> {
    // It came meanwhile, or this asks again because an answer was lost.
    if (this.begin(id, units)) return Promise.resolve(true);
    const now = this.#time.now();
    if (!this.#turns.wait(id, units, now + patience, now)) return Promise.resolve(false);
    return new Promise((answer) => {
      this.#callers.set(id, answer);
      this.#call();
    });
  }

  end(id: string): void {
    this.#turns.end(id);
    this.#answer(id, false);
    this.#call();
  }

  #call(): void {
    const { begun, late } = this.#turns.call(this.#time.now());
    for (const id of begun) this.#answer(id, true);
    for (const id of late) this.#answer(id, false);
    const next = this.#turns.nextCall(this.#time.now());
    if (next === null || next >= this.#rings) return;
    this.#rings = next;
    this.#time.after(Math.max(1, next - this.#time.now()), () => {
      this.#rings = Number.POSITIVE_INFINITY;
      this.#call();
    });
  }

  #answer(id: string, begun: boolean): void {
    this.#callers.get(id)?.(begun);
    this.#callers.delete(id);
  }
}
