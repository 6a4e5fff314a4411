import { DAY_MINUTES, dateOf, dayOf } from '../core/civil.ts';
import { localAt, type Offsets, reachedAt } from '../core/offsets.ts';
import { type Branch, offers, type Resource, type Service, type StaffMember, type Times } from './catalogue.ts';
import { partsOf, type Shape, shapeOf } from './parts.ts';
import { covered, intersection, type Spans } from './spans.ts';
import { startsClear, startsOfAtLeast, startsWithin, stepsOf } from './starts.ts';
import { type Hours, hoursOfStaff, openings, rangeOf, workingTime } from './working-time.ts';

export type AvailabilityQuestion = {
  branch: Branch;
  /** Of the branch's zone, over the range and 32 days more (offsetsOf). */
  offsets: Offsets;
  /** In a row, all by one staff member. */
  services: readonly Service[];
  /** Who is asked for; who does not work here or does not offer all of it is left out. */
  staff: readonly StaffMember[];
  /** Those of the branch, of the kinds needed. */
  resources: readonly Resource[];
  /** Dates of the branch, the second not included. */
  from: string;
  to: string;
  stepMinutes: number;
  /** Milliseconds since 1970. */
  now: number;
  timeOff: Times;
  /** Bookings and holds: buffers in, processing out; they may reach beyond the range. */
  busy: Times;
};

/**
 * Every step at which the booking is free, as minutes since 1970, per staff member. Exact: hours, time off and bookings
 * become sets of starts, so nothing is tried out; linear in their number, as they come in order.
 */
export function freeStarts(question: AvailabilityQuestion): { staffId: string; starts: number[] }[] {
  const { branch, offsets, services, staff, from, to } = question;
  const requires = services.map((service) => service.requires);
  const range = rangeOf(offsets, from, to);
  const window = offeredWindow(services, offsets, question.now);
  const first = Math.max(range.start, window.from);
  const end = Math.min(range.end, window.to);
  const lanes = lanesOf(question);
  const chairs = new Map<number, Spans | null>();
  return staff
    .filter((each) => each.isActive && each.branchIds.includes(branch.id) && services.every((its) => offers(each, its)))
    .map((member) => {
      const shape = shapeOf(partsOf(services.map((service) => ({ service, staffId: member.id }))), requires);
      const { opened, working } = lanes(member.id, hoursOfStaff(branch, member.workingHours), shape.visitMinutes);
      let starts: Spans = startsWithin(working, 0, shape.visitMinutes);
      const busy = covered(question.busy.get(member.id) ?? []);
      starts = startsClear(starts, busy, shape.staff.get(member.id)?.busy ?? []);
      // Buffers are the services' own, so what the resources allow differs by duration alone.
      if (!chairs.has(shape.visitMinutes)) chairs.set(shape.visitMinutes, resourceStarts(question, shape, lanes));
      const allowed = chairs.get(shape.visitMinutes);
      if (allowed) starts = intersection(starts, allowed);
      return { staffId: member.id, starts: stepsOf(opened, starts, question.stepMinutes, first, end) };
    });
}

type Lanes = (id: string, hours: readonly Hours[], visitMinutes: number) => { opened: number[]; working: Spans };

/** Openings within the range, and working time within it and as long after it as a visit may last. */
function lanesOf({ branch, offsets, from, to, timeOff }: AvailabilityQuestion): Lanes {
  const within = new Map<readonly Hours[], number[]>();
  const beyond = new Map<string, Map<readonly Hours[], number[]>>();
  return (id, hours, visitMinutes) => {
    const opened = within.get(hours) ?? openings(offsets, branch, hours, from, to);
    within.set(hours, opened);
    const end = dateOf(dayOf(to) + 1 + Math.ceil(visitMinutes / DAY_MINUTES));
    const known = beyond.get(end) ?? new Map<readonly Hours[], number[]>();
    beyond.set(end, known);
    const after = known.get(hours) ?? openings(offsets, branch, hours, to, end);
    known.set(hours, after);
    return { opened, working: workingTime([...opened, ...after], timeOff.get(id) ?? []) };
  };
}

/** Starts at which enough resources of every kind are free throughout; null where none is needed. */
function resourceStarts(question: AvailabilityQuestion, shape: Shape, lanes: Lanes): Spans | null {
  let allowed: Spans | null = null;
  const { start, end } = shape.occupied;
  for (const [kind, count] of shape.kinds) {
    const free = question.resources
      .filter((each) => each.kind === kind && each.isActive && each.branchId === question.branch.id)
      .map(({ id, workingHours }) => {
        const { working } = lanes(id, hoursOfStaff(question.branch, workingHours), shape.visitMinutes);
        const starts = startsWithin(working, 0, shape.visitMinutes);
        return startsClear(starts, covered(question.busy.get(id) ?? []), [start, end]);
      });
    const enough = startsOfAtLeast(free, count);
    allowed = allowed === null ? enough : intersection(allowed, enough);
  }
  return allowed;
}

/** From and to which minute the services are offered now: the longest lead time, the shortest horizon in whole days. */
export function offeredWindow(
  services: readonly Service[],
  offsets: Offsets,
  now: number,
): { from: number; to: number } {
  const leads = services.flatMap(({ leadTimeMinutes }) => leadTimeMinutes ?? []);
  const horizons = services.flatMap(({ horizonDays }) => horizonDays ?? []);
  const today = Math.floor(localAt(offsets, Math.floor(now / 60_000)) / DAY_MINUTES);
  return {
    from: leads.length === 0 ? Number.NEGATIVE_INFINITY : Math.ceil(now / 60_000) + Math.max(...leads),
    to:
      horizons.length === 0
        ? Number.POSITIVE_INFINITY
        : reachedAt(offsets, (today + Math.min(...horizons) + 1) * DAY_MINUTES),
  };
}
