import { burstOf, Pace } from '../core/pace.ts';
import type { Turn } from '../data/rooms.ts';
import { Turns } from './turns.ts';

/** Clock and timer of whoever runs the desk. */
export type DeskTime = { now(): number; after(ms: number, work: () => void): void };

/** A caller who waits, and the marks that their write is to take. */
type Waiting = { answer: (turn: Turn) => void; takes: readonly string[] };

/**
 * Where writes wait for their turn. A waiting caller is answered by whoever ends a turn, and in any case by the desk's own
 * timer: nobody's answer hangs on another request alone.
 */
export class TurnDesk {
  readonly #turns: Turns;
  readonly #callers = new Map<string, Waiting>();
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

  /** Whether the turn has come; it did not within `patience` ms, or could not, as too many wait, or another write came first. */
  wait(id: string, units: number, patience: number, takes: readonly string[] = []): Promise<Turn> {
    // It came meanwhile, or this asks again because an answer was lost.
    if (this.begin(id, units)) return Promise.resolve(true);
    const now = this.#time.now();
    if (!this.#turns.wait(id, units, now + patience, now)) return Promise.resolve(this.#refusal(true));
    return new Promise((answer) => {
      this.#callers.set(id, { answer, takes });
      this.#call();
    });
  }

  /** Whether anybody waits who could be overtaken. */
  get isContested(): boolean {
    for (const { takes } of this.#callers.values()) if (takes.length > 0) return true;
    return false;
  }

  /** A write took these marks (null: it may have taken any): whoever waits to take one is to plan again. */
  taken(marks: ReadonlySet<string> | null): void {
    for (const [id, { takes }] of this.#callers) {
      if (takes.length === 0 || (marks !== null && !takes.some((mark) => marks.has(mark)))) continue;
      this.#turns.end(id, this.#time.now());
      this.#answer(id, 'overtaken');
    }
  }

  end(id: string): void {
    this.#turns.end(id, this.#time.now());
    this.#answer(id, this.#refusal(false));
    this.#call();
  }

  #call(): void {
    const { begun, late } = this.#turns.call(this.#time.now());
    for (const id of begun) this.#answer(id, true);
    for (const id of late) this.#answer(id, this.#refusal(false));
    const next = this.#turns.nextCall(this.#time.now());
    if (next === null || next >= this.#rings) return;
    this.#rings = next;
    this.#time.after(Math.max(1, next - this.#time.now()), () => {
      this.#rings = Number.POSITIVE_INFINITY;
      this.#call();
    });
  }

  #refusal(full: boolean): Turn {
    return { full, again: this.#turns.backlog(this.#time.now()) };
  }

  #answer(id: string, turn: Turn): void {
    this.#callers.get(id)?.answer(turn);
    this.#callers.delete(id);
  }
}

/** With the runtime's clock and timers, at the pace of a company's rate limit. */
export function openDesk(perMinute: number): TurnDesk {
  const time = { now: Date.now, after: (ms: number, work: () => void) => void setTimeout(work, ms) };
  return new TurnDesk(time, new Pace(perMinute, burstOf(perMinute)));
}
