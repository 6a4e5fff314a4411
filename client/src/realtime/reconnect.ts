const FIRST = 3000;
const LONGEST = 30_000;
/** The room is full, or we have said too much: others go first. */
const HELD_OFF: Readonly<Record<number, number>> = { 4013: 30_000, 4029: 10_000 };

/** Whoever is told to come in an hour looks all the same, ms. */
const LONGEST_WAIT = 60_000;

/**
 * How long to stay away after a connection ended, ms; null: for good. Spread over the whole time, as a restart ends
 * everybody's at once.
 * @param code of its close; null where it did not come to one
 * @param tries that have failed since one went well
 * @param told when to come again, ms, by whoever refused a ticket
 */
export function pauseAfter(code: number | null, tries: number, random: number, told = 0): number | null {
  if (code !== null && code >= 4500 && code < 5000) return null;
  const most = tries === 0 ? FIRST : Math.min(LONGEST, 1000 * 2 ** tries);
  return (HELD_OFF[code ?? 0] ?? Math.min(LONGEST_WAIT, told)) + random * most;
}
