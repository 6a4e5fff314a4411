import { type Event, lastOf, livesOf, type Verdict } from './log.ts';

// Written from the contract alone: what is free and what is legal is not asked of the code that sells it.

type Part = {
  staffId: string;
  startOffsetMinutes: number;
  durationMinutes: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  processing: { afterMinutes: number; minutes: number }[];
};
type Appointment = {
  id: string;
  startsAt: string;
  status: string;
  allowOverlap: boolean;
  services: Part[];
  resources: { resourceId: string }[];
};

const MINUTE = 60_000;
const NEXT: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['CHECKED_IN', 'NO_SHOW', 'CANCELLED'],
  CHECKED_IN: ['IN_PROGRESS', 'CANCELLED'],
  IN_PROGRESS: ['COMPLETED'],
  COMPLETED: [],
  CANCELLED: ['CONFIRMED'],
  NO_SHOW: ['CONFIRMED'],
};

/** A span of time that someone or something is taken for, ms. */
type Taken = { subject: string; from: number; to: number; by: string };

/** What an appointment takes: each staff member without their processing, each resource throughout; buffers with them. */
function takenBy({ id, startsAt, services, resources }: Appointment): Taken[] {
  const start = Date.parse(startsAt);
  const at = (minutes: number): number => start + minutes * MINUTE;
  const taken: Taken[] = [];
  for (const staffId of new Set(services.map((part) => part.staffId))) {
    const theirs = services.filter((part) => part.staffId === staffId);
    for (const [i, part] of theirs.entries()) {
      const begin = part.startOffsetMinutes - (i === 0 ? part.bufferBeforeMinutes : 0);
      const end = part.startOffsetMinutes + part.durationMinutes;
      let from = begin;
      for (const { afterMinutes, minutes } of part.processing) {
        taken.push({ subject: staffId, from: at(from), to: at(part.startOffsetMinutes + afterMinutes), by: id });
        from = part.startOffsetMinutes + afterMinutes + minutes;
      }
      const after = i === theirs.length - 1 ? part.bufferAfterMinutes : 0;
      taken.push({ subject: staffId, from: at(from), to: at(end + after), by: id });
    }
  }
  const [first, last] = [services[0], services.at(-1)];
  if (first === undefined || last === undefined) return taken;
  const from = at(first.startOffsetMinutes - first.bufferBeforeMinutes);
  const to = at(last.startOffsetMinutes + last.durationMinutes + last.bufferAfterMinutes);
  return [...taken, ...resources.map(({ resourceId }) => ({ subject: resourceId, from, to, by: id }))];
}

/** Nobody and nothing is booked twice, but for what overlaps on purpose; cancelled bookings and no-shows take nothing. */
export function noOverlap(events: readonly Event[]): Verdict {
  const present = livesOf(events, 'appointment').flatMap((life) => {
    const last = lastOf(life);
    return last === null ? [] : [{ ...(last as unknown as Appointment), id: life.id }];
  });
  const counting = present.filter(
    ({ status, allowOverlap }) => !allowOverlap && !['CANCELLED', 'NO_SHOW'].includes(status),
  );
  const bySubject = new Map<string, Taken[]>();
  for (const taken of counting.flatMap(takenBy)) {
    if (taken.from >= taken.to) continue;
    bySubject.set(taken.subject, [...(bySubject.get(taken.subject) ?? []), taken]);
  }
  const breaches: string[] = [];
  for (const [subject, spans] of bySubject) {
    spans.sort((a, b) => a.from - b.from);
    let latest: Taken | null = null;
    for (const span of spans) {
      if (latest !== null && span.from < latest.to && span.by !== latest.by)
        breaches.push(`${subject}: ${latest.by} and ${span.by} at ${new Date(span.from).toISOString()}`);
      if (latest === null || span.to > latest.to) latest = span;
    }
  }
  const looked = `${counting.length} of ${present.length} appointments, ${bySubject.size} staff and resources`;
  return { law: 'nobody and nothing is booked twice', looked, breaches };
}

/** Every change of status is one the contract names; what was imported may begin anywhere. */
export function legalStatuses(events: readonly Event[]): Verdict {
  const breaches: string[] = [];
  let changes = 0;
  for (const { id, states } of livesOf(events, 'appointment')) {
    let before: string | null = null;
    for (const { revision, data } of states) {
      const { status, source } = data as { status: string; source: string };
      const began = before === null;
      const legal = began
        ? ['PENDING', 'CONFIRMED'].includes(status)
        : before === status || NEXT[before ?? '']?.includes(status);
      if (before !== status) changes += 1;
      if (legal !== true && source !== 'IMPORT')
        breaches.push(`${id} at ${revision}: ${before ?? 'nothing'} → ${status}`);
      before = status;
    }
  }
  return { law: 'every change of status is legal', looked: `${changes} changes`, breaches };
}
