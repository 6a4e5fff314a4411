/** An event of `GET /events`, as far as the laws look at it. */
export type Event = { revision: number; type: string; entityId: string; data: Record<string, unknown> | null };

/** What a law says of a company: what it looked at, and every breach of it. */
export type Verdict = { law: string; looked: string; breaches: string[] };

/** An object through its life, in the order of the log. */
export type Life = { id: string; states: { revision: number; type: string; data: Record<string, unknown> }[] };

/** The lives of the objects of one kind: `appointment`, `invoice`, … */
export function livesOf(events: readonly Event[], entity: string): Life[] {
  const lives = new Map<string, Life>();
  for (const { revision, type, entityId, data } of events) {
    if (!type.startsWith(`${entity}.`) || data === null) continue;
    const life = lives.get(entityId) ?? { id: entityId, states: [] };
    life.states.push({ revision, type, data });
    lives.set(entityId, life);
  }
  return [...lives.values()];
}

/** As it is at the end of the log; null when it was deleted. */
export function lastOf({ states }: Life): Record<string, unknown> | null {
  const last = states.at(-1);
  return last === undefined || last.type.endsWith('.deleted') ? null : last.data;
}

/** Revisions 1, 2, 3 … without a gap up to the head. */
export function gapless(events: readonly Event[], head: number): Verdict {
  const breaches: string[] = [];
  let next = 1;
  for (const { revision } of events) {
    if (revision !== next) breaches.push(`after ${next - 1} comes ${revision}`);
    next = revision + 1;
  }
  if (next !== head + 1) breaches.push(`the log ends at ${next - 1}, the company is at ${head}`);
  return { law: 'the log has no gap', looked: `${events.length} revisions`, breaches };
}
