import { Turns } from './turns.ts';

/** Clock and timer of whoever runs the desk. */
export type DeskTime = { now(): number; after(ms: number, work: () => void): void };

/**
 * Where writes wait for their turn. A waiting caller is answered by whoever ends a turn, and in any case by the desk's own
 * timer: nobody's answer hangs on another request alone.
 */
export class TurnDesk {
  readonly #turns = new Turns();
  readonly #callers = new Map<string, (begun: boolean) => void>();
  readonly #time: DeskTime;
  /** When the timer that is set will ring. */
  #rings = Number.POSITIVE_INFINITY;

  constructor(time: DeskTime) {
    this.#time = time;
  }

  /** See Turns. */
  begin(id: string): boolean {
    return this.#turns.begin(id, this.#time.now());
  }

  /** True when the turn has come, false when it did not within `patience` ms or too many wait. */
  wait(id: string, patience: number): Promise<boolean> {
    // It came meanwhile, or this asks again because an answer was lost.
    if (this.begin(id)) return Promise.resolve(true);
    if (!this.#turns.wait(id, this.#time.now() + patience)) return Promise.resolve(false);
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
    const next = this.#turns.nextCall();
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
