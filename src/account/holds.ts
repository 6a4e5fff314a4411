/**
 * How long a check of a session or key holds, ms: in Redis counted from Postgres, in an isolate counted from Redis.
 * Together they bound how long an ended one can still read: 60 s, whatever becomes of Redis meanwhile. A second less
 * than half of that each, for the trips in between.
 */
export const HOLDS = 29_000;

/** Whether what holds until then still does. One that would hold for longer was made before the clock was set back. */
export const holds = (until: number, now: number): boolean => now < until && until <= now + HOLDS;

/** What is left of it, ms, for something Postgres was asked at `askedAt` or later; 0 when nothing is. */
export const holdsStill = (askedAt: number, now: number): number => Math.max(0, HOLDS - (now - askedAt));
