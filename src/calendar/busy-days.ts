import { DAY_MINUTES, dateOf, minuteOf } from '../core/civil.ts';
import { canonicalJson } from '../core/json.ts';
import type { Change, Row } from '../data/log.ts';
import { FREED } from './appointments/table.ts';
import type { Occupied, Part } from './parts.ts';

// Tags of what is busy, by days of UTC: a booking or hold touches the days that it keeps somebody or something busy on,
// buffers included, and free starts depend on the days they were looked for on.

/** What a booking or hold says of that, as the log has it; at another branch the database chooses other resources. */
type Booked = { branch: string; parts: readonly Part[]; resources: readonly Occupied[]; startsAt: string };

/** Of anybody and anything; of one staff member; of any resources, of whatever branch: a chair takes its bookings along when it moves. */
const companyDay = (date: string): string => `busy/${date}`;
const staffDay = (staffId: string, date: string): string => `busy/staff/${staffId}/${date}`;
const resourcesDay = (date: string): string => `busy/resources/${date}`;

/** Null where it keeps nothing busy, as `app.occupies` says; what is deliberate stands outside the rule. */
function bookedIn(row: Row | null): Booked | null {
  if (row === null || FREED.has(row.status) || row.allow_overlap === true) return null;
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

/** From which minute to which a booking may keep anybody or anything busy; outwards, whoever does which part. */
function reachOf({ parts, startsAt }: Booked): { first: number; end: number } {
  const start = minuteOf(startsAt);
  const last = parts.at(-1);
  const before = Math.max(0, ...parts.map((part) => part.bufferBeforeMinutes));
  const after = Math.max(0, ...parts.map((part) => part.bufferAfterMinutes));
  return { first: start - before, end: start + (last?.startOffsetMinutes ?? 0) + (last?.durationMinutes ?? 0) + after };
}

function tagsOf(booked: Booked | null): string[] {
  if (booked === null) return [];
  const { parts, resources } = booked;
  if (parts.length === 0) return [];
  const { first, end } = reachOf(booked);
  const dates = datesWithin(first, end);
  const staff = [...new Set(parts.map(({ staffId }) => staffId))];
  return dates.flatMap((date) => [
    companyDay(date),
    ...staff.map((id) => staffDay(id, date)),
    ...(resources.length === 0 ? [] : [resourcesDay(date)]),
  ]);
}

/** How long a mark lasts, minutes: bookings that have none in common are not in each other's way. */
const MARK = 15;

/** What a booking takes that only one can have, from its first buffer to its last: marks of its staff and named resources. */
function marksOf(booked: Booked | null): string[] {
  if (booked === null) return [];
  const { first, end } = reachOf(booked);
  const subjects = [
    ...booked.parts.map(({ staffId }) => staffId),
    ...booked.resources.flatMap(({ resourceId }) => resourceId ?? []),
  ];
  const from = Math.floor(first / MARK);
  const marks = Array.from({ length: Math.ceil(end / MARK) - from }, (_, n) => from + n);
  return [...new Set(subjects)].flatMap((id) => marks.map((mark) => `${id} ${mark}`));
}

/** The marks that a change takes. */
export const marksTaken = ({ after }: Change): string[] => marksOf(bookedIn(after));

/** A booking as something that only one can have: its name, the same of all who want just this, and the marks it would take. */
export function contestOf(row: Row): { name: string; marks: readonly string[] } | undefined {
  const booked = bookedIn(row);
  if (booked === null) return undefined;
  const whose = [...new Set(booked.parts.map(({ staffId }) => staffId))].sort();
  return { name: `${booked.startsAt} ${whose.join(' ')}`, marks: marksOf(booked) };
}

/** The tags of what is busy on a day of UTC: of these staff members and then of the resources, or of all. */
export function busyTags(day: number, staffIds: readonly string[] | null): string[] {
  const date = dateOf(day);
  return staffIds === null ? [companyDay(date)] : [...staffIds.map((id) => staffDay(id, date)), resourcesDay(date)];
}

function datesWithin(first: number, end: number): string[] {
  const from = Math.floor(first / DAY_MINUTES);
  return Array.from({ length: Math.ceil(end / DAY_MINUTES) - from }, (_, n) => dateOf(from + n));
}
