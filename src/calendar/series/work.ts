import { AppError } from '../../core/errors.ts';
import { uuidOf } from '../../core/id.ts';
import { maybe } from '../asked.ts';
import { type BookingRequest, type Catalogue, planWork, requireEnough, type Work } from '../booking.ts';
import type { Branch } from '../catalogue.ts';
import { judgeStaff, judgeThere, movedParts } from '../move.ts';
import { shapeOf, totalPrice } from '../parts.ts';
import type { Booked, Edit, SeriesRow } from './rows.ts';

type Line = { serviceId: string; staffId?: string | undefined };
type Lines = SeriesRow['services'];

/** Null where the branch has too few of what it needs, at any time. @throws AppError of planWork besides */
export function workOf(catalogue: Catalogue, request: BookingRequest): Work | null {
  return unlessTooFew(() => planWork(catalogue, request));
}

function unlessTooFew(make: () => Work): Work | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError && error.code === 'slot_taken') return null;
    throw error;
  }
}

const givenBy = ({ services }: Edit): Line[] | undefined =>
  services?.map((line) => ({ serviceId: uuidOf('svc', line.serviceId), staffId: maybe('stf', line.staffId) }));

/** Everybody and everything that an edit may rest on. */
export function requestOfEdit(row: SeriesRow, targets: readonly Booked[], body: Edit): BookingRequest {
  const staffId = maybe('stf', body.staffId);
  const booked = targets.flatMap((each) => each.services.map((part): Line => part));
  const [first] = booked;
  const anew = staffId === undefined || first === undefined ? [] : [{ serviceId: first.serviceId, staffId }];
  return {
    ...{ branchId: row.branch_id, staffId, ignoreWorkingHours: body.ignoreWorkingHours },
    services: [...booked, ...anew, ...(givenBy(body) ?? [])],
    resources: targets.flatMap((each) => each.resources.map(({ kind }) => ({ kind }))),
  };
}

/** The lines of the series once it is edited as a whole. */
export function linesOf({ services }: SeriesRow, body: Edit): Lines {
  const staffId = maybe('stf', body.staffId);
  const beginner = services[0]?.staffId ?? '';
  const given = givenBy(body);
  if (given !== undefined) return given.map((line) => ({ ...line, staffId: line.staffId ?? staffId ?? beginner }));
  return services.map((line) => (staffId !== undefined && line.staffId === beginner ? { ...line, staffId } : line));
}

/**
 * What each of them is of now: as it was booked, with whoever is to do it; or the services that are given, as they are
 * today. Null where the branch has too few of what that needs.
 * @param moves to another time, for which who does it and where must be there
 * @throws AppError unknown_reference, invalid_body, not_offered
 */
export function worksOf(
  catalogue: Catalogue & { branch: Branch },
  targets: readonly Booked[],
  body: Edit,
  moves: boolean,
): (Work | null)[] {
  const staffId = maybe('stf', body.staffId);
  const given = givenBy(body);
  const known = new Map<string, Work | null>();
  return targets.map((each) => {
    const beginner = each.services[0]?.staffId ?? '';
    if (given === undefined) {
      const parts = movedParts({ parts: each.services }, staffId);
      if (staffId !== undefined && staffId !== beginner) judgeStaff(catalogue, parts, staffId);
      if (moves) judgeThere(catalogue, parts, body.startsAt === undefined ? '/localStart' : '/startsAt');
      const resources = each.resources.map(({ kind }) => ({ kind, resourceId: null }));
      return unlessTooFew(() => {
        requireEnough(catalogue.resources, resources);
        return { parts, shape: shapeOf(parts, []), price: totalPrice(parts), resources };
      });
    }
    const whom = staffId ?? beginner;
    let work = known.get(whom);
    if (work === undefined) {
      work = workOf(catalogue, { branchId: catalogue.branch.id, staffId: whom, services: given });
      known.set(whom, work);
    }
    return work;
  });
}
