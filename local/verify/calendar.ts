import { type Event, historiesOf, presentOf, type Verdict } from './log.ts';

// Written from the contract alone: what is free and what is legal is not asked of the code that sells it.

type Part = {
  staffId: string;
  startOffsetMinutes: number;
  durationMinutes: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  processing: { afterMinutes: number; minutes: number }[];
};
/** An appointment or a hold. */
type Booking = { id: string; startsAt: string; services: Part[]; resources: { resourceId: string }[] };
type Appointment = Booking & { status: string; allowOverlap: boolean };
type Step = { status: string; at: string; by: string };

const MINUTE = 60_000;
const FIRST = ['PENDING', 'CONFIRMED'];
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
export type Taken = { subject: string; from: number; to: number; by: string };

/** What a booking takes: each staff member without their processing, each resource throughout; buffers with them. */
export function takenBy({ id, startsAt, services, resources }: Booking): Taken[] {
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

/**
 * Nobody and nothing is booked twice, but for what overlaps on purpose; cancelled bookings and no-shows take nothing. A hold
 * takes its time as long as it is there, expired or not: what comes in its place deletes it first.
 */
export function noOverlap(events: readonly Event[]): Verdict {
  const present = presentOf<Appointment>(events, 'appointment');
  const holds = presentOf<Booking>(events, 'hold');
  const counting = present.filter(
    ({ status, allowOverlap }) => !allowOverlap && !['CANCELLED', 'NO_SHOW'].includes(status),
  );
  const bySubject = Map.groupBy(
    [...counting, ...holds].flatMap(takenBy).filter(({ from, to }) => from < to),
    ({ subject }) => subject,
  );
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
  const looked = `${counting.length} of ${present.length} appointments, ${holds.length} holds, ${bySubject.size} staff and resources`;
  return { law: 'nobody and nothing is booked twice', looked, breaches };
}

/**
 * Every change of status is one the contract names, and its history tells all of them and forgets none. What was imported may
 * begin anywhere, and is what the company says it was.
 */
export function legalStatuses(events: readonly Event[]): Verdict {
  const breaches: string[] = [];
  let changes = 0;
  for (const { id, states } of historiesOf(events, 'appointment')) {
    let told: Step[] = [];
    for (const { revision, data } of states) {
      if (data === null) break;
      const { status, source, statusHistory } = data as { status: string; source: string; statusHistory: Step[] };
      const wrong: string[] = [];
      if (told.some((step, i) => !sameStep(step, statusHistory[i]))) wrong.push('the history is another one');
      if (statusHistory.at(-1)?.status !== status) wrong.push(`${status} is not the end of its history`);
      for (const [i, step] of statusHistory.entries()) {
        if (i < told.length) continue;
        changes += 1;
        const before = statusHistory[i - 1]?.status;
        const free = source === 'IMPORT' && told.length === 0;
        const legal = before === undefined ? FIRST : (NEXT[before] ?? []);
        if (!free && !legal.includes(step.status)) wrong.push(`${before ?? 'nothing'} → ${step.status}`);
      }
      told = statusHistory;
      breaches.push(...wrong.map((what) => `${id} at ${revision}: ${what}`));
    }
  }
  return { law: 'every change of status is legal', looked: `${changes} changes`, breaches };
}

const sameStep = (one: Step, other: Step | undefined): boolean =>
  one.status === other?.status && one.at === other.at && one.by === other.by;
