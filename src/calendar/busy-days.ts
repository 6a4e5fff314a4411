import { DAY_MINUTES, dateOf, minuteOf } from '../core/civil.ts';
import { canonicalJson } from '../core/json.ts';
import type { Change, Row } from '../data/log.ts';
import type { Occupied, Part } from './parts.ts';

// Tags of what is busy, by days of UTC: a booking or hold touches the days that it keeps somebody or something busy on,
// buffers included, and free starts depend on the days they were looked for on.

/** What a booking or hold says of that, as the log has it. */
type Booked = { branch: string; parts: readonly Part[]; resources: readonly Occupied[]; startsAt: string };

/** Of anybody and anything; of one staff member; of the resources of a branch. */
const companyDay = (date: string): string => `busy/${date}`;
const staffDay = (staffId: string, date: string): string => `busy/staff/${staffId}/${date}`;
const branchDay = (branchId: string, date: string): string => `busy/resources/${branchId}/${date}`;

const FREE = new Set<unknown>(['CANCELLED', 'NO_SHOW']);

/** Null where it keeps nothing busy, as `app.occupies` says; what is deliberate stands outside the rule. */
function bookedIn(row: Row | null): Booked | null {
  if (row === null || FREE.has(row.status) || row.allow_overlap === true) return null;
  return {
    branch: String(row.branch_id),
    parts: row.services as Part[],
    resources: row.resources as Occupied[],
    startsAt: String(row.starts_at),
  };
}

/** The tags that a change of an appointment or a hold touches; none when it keeps busy what it did. */
export function touchedBusy({ before, after }: Change): string[] {
  const [was, is] = [bookedIn(before), bookedIn(after)];
  if (canonicalJson(was) === canonicalJson(is)) return [];
  return [...new Set([...tagsOf(was), ...tagsOf(is)])];
}

function tagsOf(booked: Booked | null): string[] {
  if (booked === null) return [];
  const { branch, parts, resources, startsAt } = booked;
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const start = minuteOf(startsAt);
  // Outwards, whoever does which part: nobody's buffers reach beyond a day.
  const before = Math.max(...parts.map((part) => part.bufferBeforeMinutes));
  const after = Math.max(...parts.map((part) => part.bufferAfterMinutes));
  const dates = datesWithin(start - before, start + last.startOffsetMinutes + last.durationMinutes + after);
  const staff = [...new Set(parts.map(({ staffId }) => staffId))];
  return dates.flatMap((date) => [
    companyDay(date),
    ...staff.map((id) => staffDay(id, date)),
    ...(resources.length === 0 ? [] : [branchDay(branch, date)]),
  ]);
}

/** A booking as something that only one can have: whom it takes and when, and what whoever takes them then touches. */
export function contestOf(row: Row): { name: string; tags: readonly string[] } | undefined {
  const booked = bookedIn(row);
  if (booked === null) return undefined;
  const whose = [...new Set(booked.parts.map(({ staffId }) => staffId))].sort();
  const companyDays = new Set(tagsOf({ ...booked, resources: [] }).filter((tag) => !tag.startsWith('busy/staff/')));
  return {
    name: `${booked.startsAt} ${whose.join(' ')}`,
    tags: tagsOf(booked).filter((tag) => !companyDays.has(tag)),
  };
}

/** The tags of what is busy on a day of UTC: of these staff members and then of the resources of a branch, or of all. */
export function busyTags(
  day: number,
  { branchId, staffIds }: { branchId: string; staffIds: readonly string[] | null },
): string[] {
  const date = dateOf(day);
  return staffIds === null
    ? [companyDay(date)]
    : [...staffIds.map((id) => staffDay(id, date)), branchDay(branchId, date)];
}

function datesWithin(first: number, end: number): string[] {
  const from = Math.floor(first / DAY_MINUTES);
  return Array.from({ length: Math.ceil(end / DAY_MINUTES) - from }, (_, n) => dateOf(from + n));
}
