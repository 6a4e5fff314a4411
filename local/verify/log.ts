/** An event of `GET /events`, as far as the laws look at it. */
export type Event = { revision: number; type: string; entityId: string; data: Record<string, unknown> | null };

/** What a law says of a company: what it looked at, and every breach of it. */
export type Verdict = { law: string; looked: string; breaches: string[] };

/** An object through its life, in the order of the log; nothing is left of what was deleted. */
export type History = { id: string; states: { revision: number; data: Record<string, unknown> | null }[] };

/** The histories of the objects of one kind: `appointment`, `invoice`, … */
export function historiesOf(events: readonly Event[], entity: string): History[] {
  const histories = new Map<string, History>();
  for (const { revision, type, entityId, data } of events) {
    if (!type.startsWith(`${entity}.`)) continue;
    const history = histories.get(entityId) ?? { id: entityId, states: [] };
    history.states.push({ revision, data: type === `${entity}.deleted` ? null : data });
    histories.set(entityId, history);
  }
  return [...histories.values()];
}

/** What there is at the end of the log. */
export function presentOf<T extends { id: string }>(events: readonly Event[], entity: string): T[] {
  return historiesOf(events, entity).flatMap(({ id, states }) => {
    const last = states.at(-1)?.data ?? null;
    return last === null ? [] : [{ ...(last as unknown as T), id }];
  });
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
