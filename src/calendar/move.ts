import { AppError } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import type { Offsets } from '../core/offsets.ts';
import { type BookingPlan, type BookingRequest, type Catalogue, placed, requireEnough } from './booking.ts';
import { type Branch, offers } from './catalogue.ts';
import { type Occupied, type Part, shapeOf, totalPrice } from './parts.ts';
import { minuteOfStart, type WantedStart } from './start.ts';

/** A booking as it is stored, from a minute since 1970 on. */
export type Booked = { branchId: string; parts: readonly Part[]; resources: readonly Occupied[]; start: number };

/** Where it goes; `staffId`: who does what whoever begins was to do. */
export type Move = { start: WantedStart; staffId?: string | undefined; ignoreWorkingHours?: boolean | undefined };

/** Its parts stay as they were booked, done by whom they are to be done now. */
export function movedParts({ parts }: Pick<Booked, 'parts'>, staffId: string | undefined): Part[] {
  const beginner = parts[0]?.staffId;
  return parts.map((part) => (staffId !== undefined && part.staffId === beginner ? { ...part, staffId } : part));
}

/** What of the catalogue a move rests on. */
export const requestOfMove = (
  booked: Booked,
  { staffId, ignoreWorkingHours }: Omit<Move, 'start'>,
): BookingRequest => ({
  branchId: booked.branchId,
  services: movedParts(booked, staffId),
  // Whichever of the kind is free; what it has is preferred by the database.
  resources: booked.resources.map(({ kind }) => ({ kind, resourceId: null })),
  ignoreWorkingHours,
});

/**
 * A booking at another time or with somebody else: what was booked stays frozen, but who and where must be there for another time.
 * @throws AppError unknown_reference, invalid_body (archived) and not_offered; as minuteOfStart; slot_taken (too few such resources at
 *   all); outside_working_hours
 */
export function planMove(
  catalogue: Catalogue & { branch: Branch },
  booked: Booked,
  move: Move,
  offsets: Offsets,
  wantedOffsets: Offsets = offsets,
): BookingPlan {
  const request = requestOfMove(booked, move);
  const parts = movedParts(booked, move.staffId);
  if (move.staffId !== undefined && move.staffId !== booked.parts[0]?.staffId)
    judgeStaff(catalogue, parts, move.staffId);
  const start = minuteOfStart(wantedOffsets, move.start);
  if (start !== booked.start) judgeThere(catalogue, parts, 'startsAt' in move.start ? '/startsAt' : '/localStart');
  const resources = booked.resources.map(({ kind }) => ({ kind, resourceId: null }));
  requireEnough(catalogue.resources, resources);
  const work = { parts, shape: shapeOf(parts, []), price: totalPrice(parts), resources };
  return placed(catalogue, request, work, start, offsets);
}

/** Whether somebody else may do what they are to do now. @throws AppError unknown_reference, invalid_body (archived), not_offered */
export function judgeStaff(
  { staff, services, branch }: Catalogue & { branch: Branch },
  parts: readonly Part[],
  id: string,
): void {
  const member = staff.get(id);
  if (member === undefined) throw refused('unknown_reference', 'unknown_reference', 'There is no such object.');
  if (!member.isActive) throw refused('invalid_body', 'inactive', 'Is archived.');
  const theirs = parts.filter(({ staffId }) => staffId === id).map(({ serviceId }) => services.get(serviceId));
  if (!theirs.every((service) => service === undefined || offers(member, service)))
    throw refused('not_offered', 'not_offered', 'Does not offer this service.');
  if (!member.branchIds.includes(branch.id)) throw refused('not_offered', 'not_offered', 'Does not work there.');
}

/**
 * Whether the branch is in use, and whoever does the parts works there: what was booked may stay with those who have gone, a new time is
 * judged as in booking. @param pointer to the new time; @throws AppError invalid_body (archived), not_offered, naming whom
 */
export function judgeThere(
  { staff, branch }: Catalogue & { branch: Branch },
  parts: readonly Part[],
  pointer: string,
): void {
  if (!branch.isActive) throw refused('invalid_body', 'inactive', 'The branch is archived.', pointer);
  for (const id of new Set(parts.map(({ staffId }) => staffId))) {
    const member = staff.get(id);
    const whom = { staffId: formatId('stf', id) };
    if (member?.isActive !== true)
      throw refused('invalid_body', 'inactive', 'The staff member is archived.', pointer, whom);
    if (!member.branchIds.includes(branch.id))
      throw refused('not_offered', 'not_offered', 'Does not work there.', pointer, whom);
  }
}

const refused = (
  code: 'unknown_reference' | 'invalid_body' | 'not_offered',
  fault: string,
  detail: string,
  pointer: string = '/staffId',
  extra: { staffId?: string } = {},
): AppError => new AppError(code, undefined, { faults: [{ pointer, code: fault, detail }], extra });
