import { burstOf, Pace } from '../../core/pace.ts';
import type { Connection } from './member.ts';
import type { RoomLimits } from './protocol.ts';

/** A drag across a calendar sends five signals a second. */
const SIGNALS_PER_MINUTE = 300;
/** Too much said, or senseless frames, within a minute, until the socket is closed. */
const MOST_STRIKES = 3;
const MINUTE = 60_000;
/**
 * Frames that count for none of a user's messages, of one socket: pings, and confirmations that nobody asked for. Who confirms all
 * there is sends ten a second; one that sends as many as it can keeps the whole isolate busy, whatever is made of them.
 */
const IDLE_PER_MINUTE = 1500;
const IDLE_AT_ONCE = 300;

/** What one user may have of what is read for those who subscribe: the half, so that a colleague has the other. */
const SHARE = 1 / 2;
/** The longest that somebody for whom nothing is read yet is told to wait, ms. */
const LONGEST_WAIT = 30_000;

type Quota = { messages: Pace; signals: Pace; reads: Pace; refused: Strikes };

/** What each user may still say, over all their sockets. Pure; memory alone, so a hibernation forgives what it slept through. */
export class Quotas {
  readonly #limits: RoomLimits;
  readonly #byActor = new Map<string, Quota>();
  /** Senseless frames are one program's: another window of the same user is not closed for them. */
  readonly #bad = new WeakMap<Connection, Strikes>();
  readonly #idle = new WeakMap<Connection, Pace>();

  /** What is read, for all users together; and what was not, each told to come when it is their turn. */
  readonly #reads: Pace;
  readonly #later: Pace;

  constructor(limits: RoomLimits) {
    this.#limits = limits;
    const { readsPerMinute } = limits;
    this.#reads = new Pace(readsPerMinute, burstOf(readsPerMinute));
    this.#later = new Pace(readsPerMinute, 1);
  }

  /** Takes one message or signal. @returns 0, or in how many ms one may be sent */
  take(actor: string, kind: 'messages' | 'signals', now: number): number {
    return this.#of(actor)[kind].take(now);
  }

  /** Reads so much for this user, or nothing. @returns 0, or in how many ms it is their turn */
  takeReads(actor: string, reads: number, now: number): number {
    if (reads === 0) return 0;
    const paces = [this.#reads, this.#of(actor).reads];
    const wait = Math.ceil(Math.max(...paces.map((pace) => pace.readyAt(now) - now)));
    if (wait <= 0) {
      for (const pace of paces) pace.spend(reads, now);
      return 0;
    }
    const turn = Math.max(wait, Math.ceil(this.#later.readyAt(now) - now));
    this.#later.spend(reads, now);
    return Math.min(turn, LONGEST_WAIT);
  }

  /** Something was refused because it was one too many. */
  isRefusedOnceTooOften(actor: string, now: number): boolean {
    return this.#of(actor).refused.strike(now);
  }

  /** A frame made no sense. */
  isBadOnceTooOften(connection: Connection, now: number): boolean {
    const bad = this.#bad.get(connection) ?? new Strikes(MOST_STRIKES, MINUTE);
    this.#bad.set(connection, bad);
    return bad.strike(now);
  }

  /** A frame came that counts for nothing. @returns whether that was one too many */
  isIdleTooOften(connection: Connection, now: number): boolean {
    const pace = this.#idle.get(connection) ?? new Pace(IDLE_PER_MINUTE, IDLE_AT_ONCE);
    this.#idle.set(connection, pace);
    return pace.take(now) > 0;
  }

  /** Forgets those who owe nothing and are gone. */
  forget(present: ReadonlySet<string>, now: number): void {
    for (const [actor, { messages, signals, reads }] of this.#byActor) {
      const isIdle = [messages, signals, reads].every((pace) => pace.isIdle(now));
      if (isIdle && !present.has(actor)) this.#byActor.delete(actor);
    }
  }

  #of(actor: string): Quota {
    let quota = this.#byActor.get(actor);
    if (quota === undefined) {
      const { messagesPerMinute, readsPerMinute } = this.#limits;
      const ownReads = readsPerMinute * SHARE;
      quota = {
        messages: new Pace(messagesPerMinute, messagesPerMinute),
        signals: new Pace(SIGNALS_PER_MINUTE, SIGNALS_PER_MINUTE),
        reads: new Pace(ownReads, burstOf(ownReads)),
        refused: new Strikes(MOST_STRIKES, MINUTE),
      };
      this.#byActor.set(actor, quota);
    }
    return quota;
  }
}

/** Counts what may happen only so often within a while, ms. */
class Strikes {
  readonly #most: number;
  readonly #within: number;
  #times: number[] = [];

  constructor(most: number, within: number) {
    this.#most = most;
    this.#within = within;
  }

  /** One more. @returns whether that was one too many */
  strike(now: number): boolean {
    this.#times = this.#times.filter((at) => Math.abs(now - at) < this.#within);
    this.#times.push(now);
    return this.#times.length >= this.#most;
  }
}
