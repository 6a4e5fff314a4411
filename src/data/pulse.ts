import type { RedisStore } from './redis.ts';

type Keys = Pick<RedisStore, 'key'>;

/**
 * Redis may go back in time: a restart from a snapshot, a failover to a replica that lags, a restored backup bring head,
 * tags and incarnations of a company back together, and nothing in them looks wrong. Two words in Redis speak for all
 * companies at once. The *era* names the life of Redis as a whole and is part of every incarnation that is read: whoever
 * finds that Redis was set back renews it, and all that was cached before is worth nothing. The *beat* is when the watch
 * last found everything in order; a reading whose beat is older counts only once Postgres has confirmed its head.
 */

/** How long a beat speaks for the readings made after it, ms. With CACHE_MAX_STALENESS_MS it stays below 10 s. */
export const LEASE = 7000;

/** How far the clock of the watch may be ahead of an isolate's, ms. */
const SKEW = 2000;

export const eraKey = ({ key }: Keys): string => key('era');
export const beatKey = ({ key }: Keys): string => key('beat');
export const markKey = ({ key }: Keys, watch: string): string => key('mark', watch);

/** @param era null where nobody has begun one: nothing is cached until the watch does */
type Pulse = { era: string | null; live: boolean };

/** @param at when Redis was asked, ms */
export function readPulse(era: unknown, beat: unknown, at: number): Pulse {
  const when = typeof beat === 'string' ? Number(beat) : Number.NaN;
  return { era: typeof era === 'string' ? era : null, live: when > at - LEASE && when <= at + SKEW };
}

/**
 * What an entry and an ETag remember of the state they were judged by: its own life and Redis'. The beginnings of both
 * come first, because an ETag has room for no more.
 */
export const incarnationOf = (incarnation: string, era: string): string =>
  `${incarnation.slice(0, 8)}${era.slice(0, 8)}.${incarnation.slice(8)}.${era.slice(8)}`;

/** What the rest of the system asks of the watch (a Durable Object, one per deployment). See `PulseKeeper`. */
export type WatchApi = {
  /** Looks after Redis now, and with `stay` every few seconds for the next two minutes. */
  beat(stay: boolean): Promise<void>;
  /** An announcement does not reach Redis. */
  alert(): Promise<void>;
};

export type WatchOf = () => WatchApi;
