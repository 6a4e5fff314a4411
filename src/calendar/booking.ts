import { DAY_MINUTES, instantTexts, localText } from '../core/civil.ts';
import type { Money } from '../core/currency.ts';
import { AppError, type Fault } from '../core/errors.ts';
import { localAt, type Offsets } from '../core/offsets.ts';
import { type Branch, offers, type Resource, type Service, type StaffMember, type Times } from './catalogue.ts';
import { type BookingGuard, guardOf } from './guard.ts';
import { type Occupied, type Part, partsOf, type Shape, shapeOf, totalPrice } from './parts.ts';
import { Away, judgeStart } from './presence.ts';
import { minuteOfStart, type WantedStart } from './start.ts';

/** What a booking is planned from, read at one revision. What is not there was not found. */
export type Catalogue = {
  revision: number;
  branch: Branch | null;
  services: ReadonlyMap<string, Service>;
  staff: ReadonlyMap<string, StaffMember>;
  /** Those of the branch, of the kinds needed, in the order in which they are chosen: name, id. */
  resources: readonly Resource[];
  /** Near the wanted start. */
  timeOff: Times;
};

export type BookingRequest = {
  branchId: string;
  /** Who does what names nobody else. */
  staffId?: string | undefined;
  services: readonly { serviceId: string; staffId?: string | undefined }[];
  /** Particular ones; the database chooses the rest. */
  resources?: readonly { kind: string; resourceId?: string | null | undefined }[] | undefined;
  ignoreWorkingHours?: boolean | undefined;
};

/** What does not depend on the time: who does what, for how much, and what it takes. */
export type Work = { parts: Part[]; shape: Shape; price: Money | null; resources: Occupied[] };

/** A booking as it is to be stored, and what it rests on. */
export type BookingPlan = Work & {
  startsAt: string;
  endsAt: string;
  /** The branch's, as are both local fields. */
  timeZone: string;
  localDate: string;
  localStart: string;
  /** Of that zone, near the start: what the local fields follow from. */
  offsets: Offsets;
  guard: BookingGuard;
};

/**
 * Who does what, from the catalogue.
 * @throws AppError unknown_reference, invalid_body (archived, or nobody named), not_offered, slot_taken (too few such
 *   resources at all); all faults of the first kind that applies
 */
export function planWork(catalogue: Catalogue, request: BookingRequest): Work {
  const unknown: Fault[] = [];
  const invalid: Fault[] = [];
  const notOffered: Fault[] = [];
  const { branch } = catalogue;
  if (branch === null) unknown.push(missing('/branchId'));
  else if (!branch.isActive) invalid.push(archived('/branchId'));
  const lines: { service: Service; staffId: string }[] = [];
  for (const [i, line] of request.services.entries()) {
    const service = catalogue.services.get(line.serviceId);
    if (service === undefined) unknown.push(missing(`/services/${i}/serviceId`));
    else if (!service.isActive) invalid.push(archived(`/services/${i}/serviceId`));
    const pointer = line.staffId === undefined ? '/staffId' : `/services/${i}/staffId`;
    const staffId = line.staffId ?? request.staffId;
    if (staffId === undefined) {
      // Where nobody is named at all, one name for all services is what is missing.
      const alone = request.services.every((each) => each.staffId === undefined);
      const missed = alone ? '/staffId' : `/services/${i}/staffId`;
      invalid.push(fault(missed, 'required', 'Nobody is named for this service.'));
      continue;
    }
    const member = catalogue.staff.get(staffId);
    if (member === undefined) unknown.push(missing(pointer));
    else if (!member.isActive) invalid.push(archived(pointer));
    if (service === undefined || member === undefined || branch === null) continue;
    if (!offers(member, service)) notOffered.push(fault(pointer, 'not_offered', 'Does not offer this service.'));
    else if (!member.branchIds.includes(branch.id))
      notOffered.push(fault(pointer, 'not_offered', 'Does not work there.'));
    lines.push({ service, staffId });
  }
  if (unknown.length > 0) throw new AppError('unknown_reference', undefined, { faults: once(unknown) });
  if (invalid.length > 0) throw new AppError('invalid_body', undefined, { faults: once(invalid) });
  if (notOffered.length > 0) throw new AppError('not_offered', undefined, { faults: once(notOffered) });
  const parts = partsOf(lines);
  const shape = shapeOf(
    parts,
    lines.map(({ service }) => service.requires),
  );
  return { parts, shape, price: totalPrice(parts), resources: occupiedBy(catalogue, request, shape) };
}

const fault = (pointer: string, code: string, detail: string): Fault => ({ pointer, code, detail });
const missing = (pointer: string): Fault => fault(pointer, 'unknown_reference', 'There is no such object.');
const archived = (pointer: string): Fault => fault(pointer, 'inactive', 'Is archived.');

/** One staff member named for all services is one mistake. */
const once = (faults: readonly Fault[]): Fault[] =>
  faults.filter((each, i) => faults.findIndex((other) => other.pointer === each.pointer) === i);

/** Those that are named first, then as many more as their kinds need. */
function occupiedBy({ resources }: Catalogue, request: BookingRequest, { kinds }: Shape): Occupied[] {
  const named = (request.resources ?? []).map(({ kind, resourceId }) => ({ kind, resourceId: resourceId ?? null }));
  const faults: Fault[] = [];
  for (const [i, { kind, resourceId }] of named.entries()) {
    if (resourceId === null) continue;
    const known = resources.find((each) => each.id === resourceId && each.kind === kind);
    if (known === undefined) faults.push(missing(`/resources/${i}/resourceId`));
    else if (named.findIndex((other) => other.resourceId === resourceId) < i) {
      faults.push(fault(`/resources/${i}/resourceId`, 'duplicate_value', 'Is named twice.'));
    }
  }
  if (faults.length > 0) {
    const isUnknown = faults.some(({ code }) => code === 'unknown_reference');
    throw new AppError(isUnknown ? 'unknown_reference' : 'invalid_body', undefined, { faults });
  }
  const occupied = named.slice();
  for (const [kind, count] of kinds) {
    const asked = named.filter((each) => each.kind === kind).length;
    for (let more = asked; more < count; more += 1) occupied.push({ kind, resourceId: null });
  }
  requireEnough(resources, occupied);
  return occupied;
}

/** Whether the branch has as many of each kind at all: those in use, and those that are named. @throws AppError slot_taken */
export function requireEnough(resources: readonly Resource[], occupied: readonly Occupied[]): void {
  const isNamed = (id: string): boolean => occupied.some((each) => each.resourceId === id);
  for (const kind of new Set(occupied.map((each) => each.kind))) {
    const there = resources.filter((each) => each.kind === kind && (each.isActive || isNamed(each.id))).length;
    if (occupied.filter((each) => each.kind === kind).length > there) {
      throw new AppError('slot_taken', `The branch has too few of the kind ${kind}.`, { extra: { kind } });
    }
  }
}

/**
 * The whole booking: when, who, for how much, and what must not have changed when it is written.
 * @param offsets of the branch's zone near the wanted start; `wantedOffsets` of the zone in which it is told, if another
 * @throws AppError those of planWork and minuteOfStart, outside_working_hours naming whom
 */
export function planBooking(
  catalogue: Catalogue & { branch: Branch },
  request: BookingRequest & { start: WantedStart },
  offsets: Offsets,
  wantedOffsets: Offsets = offsets,
): BookingPlan {
  const work = planWork(catalogue, request);
  return placed(catalogue, request, work, minuteOfStart(wantedOffsets, request.start), offsets);
}

/** Work at a start, whose hours it keeps unless the request says otherwise. @throws AppError outside_working_hours naming whom */
export function placed(
  catalogue: Catalogue & { branch: Branch },
  request: BookingRequest,
  work: Work,
  start: number,
  offsets: Offsets,
): BookingPlan {
  if (!request.ignoreWorkingHours) {
    const { absent } = judgeStart(catalogue, offsets, work, start, new Map());
    if (absent.length > 0) throw new Away(absent);
  }
  const [startsAt = '', endsAt = ''] = instantTexts([start, start + work.shape.visitMinutes]);
  const local = localText(localAt(offsets, start));
  const { timeZone } = catalogue.branch;
  const guard = guardOf(catalogue, request, work);
  return { ...work, startsAt, endsAt, timeZone, localDate: local.slice(0, 10), localStart: local, offsets, guard };
}

/** The nearest of these starts to the wanted one, in order of time: what to suggest when that is taken. */
export function nearestStarts(starts: readonly number[], wanted: number, count: number = 5): number[] {
  const nearest = starts.toSorted((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b).slice(0, count);
  return nearest.sort((a, b) => a - b);
}

/** The minutes for which offsets and time off are needed to plan a start: two days about it, and as long as it may last. */
export const neighbourhood = (first: number, last: number = first): { first: number; last: number } => ({
  first: first - 2 * DAY_MINUTES,
  last: last + 4 * DAY_MINUTES,
});
