import type { Catalogue } from './booking.ts';
import type { Joined, Slices } from './busy-slices.ts';
import type { Times } from './catalogue.ts';
import type { Swept } from './sweep.ts';

// What parts of calendars weigh on the heap, bytes (measured: bench/heap.ts): what an isolate remembers of them is bounded by it.

const [ROW, MEMBER, ID, AGE] = [900, 260, 90, 120] as const;
const [DAY, SLICE, HOLD, LIST, SWEEP, NUMBER] = [700, 250, 80, 200, 300, 10] as const;
/** Of a list that is no longer than what it holds. */
const EXACT = 8.2;

/** The rows of a catalogue, by what hangs on each: hours, terms, references. @param days that are looked at with it */
export function weightOfCatalogue(
  { branch, services, staff, resources, timeOff }: Omit<Catalogue, 'revision'>,
  days: number = 0,
): number {
  let bytes = AGE * days + ROW * (1 + services.size + staff.size + resources.length);
  if (branch !== null) bytes += MEMBER * (branch.openingHours.length + branch.holidays.length);
  for (const { processing, requires, taxes, staff: terms } of services.values())
    bytes += MEMBER * (processing.length + requires.length + taxes.length + terms.length);
  for (const { branchIds, serviceIds, workingHours } of staff.values())
    bytes += ID * (branchIds.length + serviceIds.length) + MEMBER * workingHours.length;
  for (const { workingHours } of resources) bytes += MEMBER * workingHours.length;
  return bytes + weightOfTimes(timeOff);
}

/** What is busy on a day. */
export function weightOfDay(slices: Slices): number {
  let bytes = DAY;
  for (const { pieces, holds } of slices.values()) bytes += SLICE + pieces.length + HOLD * holds.length;
  return bytes;
}

/** What several days come to. */
export function weightOfLists({ days, busy, ends }: Joined): number {
  let bytes = days.length * SLICE + HOLD * ends.size;
  for (const list of busy.values()) bytes += LIST + EXACT * list.length;
  return bytes;
}

/** What was swept for a question. */
export function weightOfSweep(staff: ReadonlyMap<string, Swept>): number {
  let bytes = 0;
  for (const { opened, starts } of staff.values()) bytes += SWEEP + NUMBER * (opened.length + starts.length);
  return bytes;
}

export function weightOfTimes(times: Times): number {
  let bytes = 0;
  for (const stretches of times.values()) bytes += LIST + NUMBER * stretches.length;
  return bytes;
}
