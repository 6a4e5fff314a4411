import { Pace } from '../../core/pace.ts';
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

type Quota = { messages: Pace; signals: Pace; refused: Strikes };

/** What each user may still say, over all their sockets. Pure; memory alone, so a hibernation forgives what it slept through. */
export class Quotas {
  readonly #limits: RoomLimits;
  readonly #byActor = new Map<string, Quota>();
  /** Senseless frames are one program's: another window of the same user is not closed for them. */
  readonly #bad = new WeakMap<Connection, Strikes>();
  readonly #idle = new WeakMap<Connection, Pace>();

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /** Takes one message or signal. @returns 0, or in how many ms one may be sent */
  take(actor: string, kind: 'messages' | 'signals', now: number): number {
    return this.#of(actor)[kind].take(now);
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
    for (const [actor, { messages, signals }] of this.#byActor)
      if (!present.has(actor) && messages.isIdle(now) && signals.isIdle(now)) this.#byActor.delete(actor);
  }

  #of(actor: string): Quota {
    let quota = this.#byActor.get(actor);
    if (quota === undefined) {
      const { messagesPerMinute } = this.#limits;
      quota = {
        messages: new Pace(messagesPerMinute, messagesPerMinute),
        signals: new Pace(SIGNALS_PER_MINUTE, SIGNALS_PER_MINUTE),
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
