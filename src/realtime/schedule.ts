/** How long a write may take from its announcement of intent to its publication before the room looks it up, ms. */
const PATIENCE = 3000;

/** Pause between two tries of the room to announce, ms. */
export const RETRY = 1000;

/** When an expectation of `since` (ms) is due. */
export const dueAt = (since: number): number => since + PATIENCE;

/** The longest a write may be under way, ms: its wait for a place, and the deadline of its call to the database. */
const LONGEST_WRITE = 22_000;

/** Whether a write that was expected at `since` (ms) can no longer commit. */
export const isOver = (since: number, now: number): boolean => now - since >= LONGEST_WRITE;
