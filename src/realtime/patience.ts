/** How long a write may take from its announcement of intent to its publication before the room looks it up, ms. */
export const PATIENCE = 3000;

/** Pause between two tries of the room to announce, ms. */
export const RETRY = 1000;

/** When an expectation of `since` (ms) is due. */
export const dueAt = (since: number): number => since + PATIENCE;

/** Pause between two looks for a write that is long under way, ms: found at once, it is still visible to others in time. */
const SLOW_RETRY = 5000;
/** Age of an expectation from which on its write is looked for less often, ms. */
const OLD = 20_000;

/** When to look again for a write of `since` that was not found by `now`, ms. */
export const lookAgainAt = (since: number, now: number): number =>
  Math.max(dueAt(since), now + (now - since < OLD ? RETRY : SLOW_RETRY));

/** Statements of the longest write: begin, claim, its own, its answer, end. */
const MOST_STATEMENTS = 8;
/** `statement_timeout` of the roles, ms: it ends one statement, not their sum, and a Worker that gives up ends none. */
const STATEMENT_TIMEOUT = 10_000;

/** The longest a write may be under way after its turn has come, ms: its wait for a place, then its transaction. */
export const longestWrite = (acquireTimeout: number): number => acquireTimeout + MOST_STATEMENTS * STATEMENT_TIMEOUT;
