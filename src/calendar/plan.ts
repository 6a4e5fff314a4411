import { DAY_MINUTES, dateOf, dayOf, instantTexts, minuteOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { localDateAt, type Offsets, offsetsOf } from '../core/offsets.ts';
import type { Look, Plan } from '../resources/planned.ts';
import type { Resource } from '../resources/resource.ts';
import { insertRow } from '../resources/row-sql.ts';
import { ignoringHours } from './asked.ts';
import { freeStartsOfWork } from './availability.ts';
import {
  type BookingPlan,
  type BookingRequest,
  type Catalogue,
  nearestStarts,
  neighbourhood,
  planBooking,
  planWork,
  type Work,
} from './booking.ts';
import { contestOf } from './busy-days.ts';
import type { Branch } from './catalogue.ts';
import { adoptClock } from './clock.ts';
import { takenBy } from './hindered.ts';
import { AFTER, about, around, BEFORE, lookAround, lookAt } from './look.ts';
import { judgeStart } from './presence.ts';
import { told } from './refusals.ts';
import { saying } from './shown.ts';
import type { WantedStart } from './start.ts';

/** What is to be planned, when, and the zone in which that is told where it is not the branch's. */
export type Wish = { companyId: string; request: BookingRequest; start: WantedStart; zone: string | null };

/** Offsets of the branch's zone near a start, and of the zone in which it is told. */
export function offsetsAt(branch: Branch, { start, zone }: Pick<Wish, 'start' | 'zone'>) {
  const { first, last } = neighbourhood(about(start));
  const offsets = offsetsOf(branch.timeZone, first, last);
  return { offsets, wanted: zone === null ? offsets : offsetsOf(zone, first, last) };
}

/** A branch that is there. @throws AppError of planWork, where it is not */
export function withBranch<C extends Catalogue>(catalogue: C, request: BookingRequest): C & { branch: Branch } {
  const { branch } = catalogue;
  if (branch !== null) return { ...catalogue, branch };
  planWork(catalogue, request);
  throw new AppError('unknown_reference');
}

/**
 * A booking as it is to be written. What is seen to be taken is refused without waiting for the company's turn to write:
 * of many who want one time most are told by the snapshot. `blind`: whatever is busy, which may be its own hold.
 * @throws AppError as planBooking; outside_working_hours and slot_taken with suggestions
 */
export async function planned(look: Look, now: number, wish: Wish, blind: boolean): Promise<BookingPlan> {
  const catalogue = withBranch(await lookAt(look, wish), wish.request);
  const { offsets, wanted } = offsetsAt(catalogue.branch, wish);
  const booking = await orSuggest(look, now, wish, offsets, (ignoring) =>
    planBooking(catalogue, { ...wish.request, start: wish.start, ...ignoring }, offsets, wanted),
  );
  if (blind) return booking;
  const start = minuteOf(booking.startsAt);
  const anyTime = wish.request.ignoreWorkingHours === true;
  const [first] = judgeStart(catalogue, offsets, booking, start, catalogue.busy, anyTime).taken;
  if (first === undefined) return booking;
  const name = `${start} ${JSON.stringify(wish.request)} ${Math.floor(now / 60_000)}`;
  throw await told(look, `${wish.companyId} ${catalogue.revision} ${name}`, async () => {
    const [error = new AppError('slot_taken')] = await takenBy(look, wish.companyId, [{ hindrance: first, booking }]);
    return suggesting(error, look, now, wish, booking, false);
  });
}

/** The columns of a planned booking that say where, what and when. */
export const bookedRow = (
  branchId: string,
  booking: Pick<BookingPlan, 'parts' | 'resources' | 'startsAt' | 'timeZone'>,
) => ({
  branch_id: branchId,
  services: booking.parts,
  resources: booking.resources,
  starts_at: booking.startsAt,
  time_zone: booking.timeZone,
});

/** What stores a planned booking or hold; `own` are its columns besides where, what and when. */
export function storing(
  resource: Resource,
  look: Look,
  { now, wish, booking }: { now: number; wish: Wish; booking: BookingPlan },
  own: Record<string, unknown>,
): Plan {
  const row = { ...own, ...bookedRow(wish.request.branchId, booking) };
  return {
    statements: [
      adoptClock(booking.offsets),
      ...ignoringHours(wish.request.ignoreWorkingHours),
      insertRow(resource, row),
    ],
    guard: booking.guard,
    contested: contestOf(row),
    explain: (error) => suggesting(error, look, now, wish, booking),
  };
}

/** What `plan` plans; where hours are in the way, the refusal says what else is free. */
export async function orSuggest<P extends Work & { startsAt: string }>(
  look: Look,
  now: number,
  wish: Wish,
  offsets: Offsets,
  plan: (ignoring: { ignoreWorkingHours?: boolean }) => P,
): Promise<P> {
  try {
    return plan({});
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'outside_working_hours') throw error;
    throw saying(error, {
      suggestions: await suggestions(look, now, wish, plan({ ignoreWorkingHours: true }), offsets, false),
    });
  }
}

/** A refusal of the database: what is taken, with what is free. */
export async function suggesting(
  error: AppError,
  look: Look,
  now: number,
  wish: Pick<Wish, 'companyId' | 'request'>,
  work: Work & { startsAt: string; timeZone: string },
  anew: boolean = true,
): Promise<AppError> {
  if (error.code !== 'slot_taken') return error;
  const minute = minuteOf(work.startsAt);
  const near = offsetsOf(work.timeZone, minute, minute);
  return saying(error, { suggestions: await suggestions(look, now, wish, work, near, anew) });
}

const STEP = 15;

/** The nearest starts, as instants, at which this very work is free: from two days before the wanted one to a week after. */
async function suggestions(
  look: Look,
  now: number,
  { companyId, request }: Pick<Wish, 'companyId' | 'request'>,
  work: Work & { startsAt: string },
  offsets: Offsets,
  anew: boolean,
): Promise<string[]> {
  const start = minuteOf(work.startsAt);
  const today = dayOf(localDateAt(offsets, start));
  const [from, to] = [dateOf(today - BEFORE), dateOf(today + AFTER)];
  const near = await lookAround(look, companyId, request, start, anew);
  if (near.branch === null) return [];
  const { first, last } = around(start);
  const free = freeStartsOfWork(
    {
      branch: near.branch,
      offsets: offsetsOf(near.branch.timeZone, first, last + 32 * DAY_MINUTES),
      ...{ services: [...near.services.values()], staff: [...near.staff.values()], resources: near.resources },
      ...{ from, to, stepMinutes: STEP, now, timeOff: near.timeOff, busy: near.busy },
    },
    work,
  );
  // Nobody who asks for a time that is still to come can use one that is over.
  const present = Math.ceil(now / 60_000);
  const usable = start < present ? free : free.filter((minute) => minute >= present);
  return instantTexts(nearestStarts(usable, start));
}
