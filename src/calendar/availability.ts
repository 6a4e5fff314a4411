import { DAY_MINUTES, dateOf, dayOf } from '../core/civil.ts';
import { localAt, type Offsets, reachedAt } from '../core/offsets.ts';
import { type Branch, offers, type Resource, type Service, type StaffMember, type Times } from './catalogue.ts';
import { anyOf, type Occupied, partsOf, type Shape, shapeOf } from './parts.ts';
import { isChoice, unnamed } from './presence.ts';
import { covered, intersection, type Spans, without } from './spans.ts';
import { countSteps, startsClear, startsOfAtLeast, startsWithin, stepsOf } from './starts.ts';
import { type Hours, hoursOfResource, hoursOfStaff, openings, rangeOf, workingTime } from './working-time.ts';

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

/** What one of the staff can begin, whatever the step and the time: openings, and the starts that all of it allows. */
export type Swept = {
  opened: readonly number[];
  starts: Spans;
  /** What kept them busy. */
  busy: readonly number[] | undefined;
};

/**
 * Every step at which the booking is free, as minutes since 1970, per staff member. Exact: hours, time off and bookings
 * become sets of starts, so nothing is tried out; linear in their number, as they come in order.
 */
export function freeStarts(
  question: AvailabilityQuestion,
  swept: ReadonlyMap<string, Swept> = sweep(question),
): { staffId: string; starts: number[] }[] {
  const { first, end } = offeredRange(question);
  return [...swept].map(([staffId, { opened, starts }]) => ({
    staffId,
    starts: stepsOf(opened, starts, question.stepMinutes, first, end),
  }));
}

/** How many starts that would be: an answer is bounded before any is made. */
export function countStarts(question: AvailabilityQuestion, swept: ReadonlyMap<string, Swept>): number {
  const { first, end } = offeredRange(question);
  let count = 0;
  for (const { opened, starts } of swept.values())
    count += countSteps(opened, starts, question.stepMinutes, first, end);
  return count;
}

/** The starts that hours, time off, bookings and resources allow, by staff member. @param known of whom they are known, as they are */
export function sweep(
  question: AvailabilityQuestion,
  known: (id: string) => Swept | undefined = () => undefined,
): Map<string, Swept> {
  const { branch, services, staff } = question;
  const shapeBy = shapesOf(services);
  const lanes = lanesOf(question);
  // Buffers are the services' own, so what the resources allow differs by duration alone.
  const allowed = new Map<number, Spans | null>();
  const offering = staff.filter(
    (each) => each.isActive && each.branchIds.includes(branch.id) && services.every((its) => offers(each, its)),
  );
  return new Map(
    offering.map((member) => {
      const found = known(member.id);
      if (found !== undefined) return [member.id, found];
      const shape = shapeBy(member.id);
      let withResources = allowed.get(shape.visitMinutes);
      if (withResources === undefined) {
        withResources = resourceStarts(question, lanes, shape, anyOf(shape.kinds));
        allowed.set(shape.visitMinutes, withResources);
      }
      const { opened } = lanes(member.id, hoursOfStaff(branch, member.workingHours), shape.visitMinutes);
      const starts = staffStarts(question, lanes, shape, withResources);
      return [member.id, { opened, starts, busy: question.busy.get(member.id) }];
    }),
  );
}

/** The shape of the services by one staff member: of those who take as long for each it is the same. */
function shapesOf(services: readonly Service[]): (staffId: string) => Shape {
  const requires = services.map((service) => service.requires);
  const shapes = new Map<string, Shape>();
  return (staffId) => {
    const parts = partsOf(services.map((service) => ({ service, staffId })));
    const key = parts.map(({ durationMinutes }) => durationMinutes).join();
    const found = shapes.get(key);
    if (found !== undefined)
      return { ...found, staff: new Map([...found.staff.values()].map((each) => [staffId, each])) };
    const shape = shapeOf(parts, requires);
    shapes.set(key, shape);
    return shape;
  };
}

/**
 * The same for work that is planned already, whoever does its parts, with the resources it names; steps are those of
 * whoever begins. `staff` and `services` of the question must hold those of the work.
 */
export function freeStartsOfWork(
  question: AvailabilityQuestion,
  work: { shape: Shape; resources: readonly Occupied[] },
): number[] {
  const lanes = lanesOf(question);
  const { shape } = work;
  const [whose] = shape.staff.keys();
  const beginner = question.staff.find(({ id }) => id === whose);
  if (beginner === undefined) return [];
  const { opened } = lanes(beginner.id, hoursOfStaff(question.branch, beginner.workingHours), shape.visitMinutes);
  const starts = staffStarts(question, lanes, shape, resourceStarts(question, lanes, shape, work.resources));
  const { first, end } = offeredRange(question);
  return stepsOf(opened, starts, question.stepMinutes, first, end);
}

function offeredRange({ offsets, services, from, to, now }: AvailabilityQuestion): { first: number; end: number } {
  const range = rangeOf(offsets, from, to);
  const window = offeredWindow(services, offsets, now);
  return { first: Math.max(range.start, window.from), end: Math.min(range.end, window.to) };
}

const NEVER = Number.POSITIVE_INFINITY;
const ANY_TIME = [-NEVER, NEVER];

type Lanes = (id: string, hours: readonly Hours[], visitMinutes: number) => { opened: number[]; working: Spans };

/** Openings within the range, and working time within it and as long after it as a visit may last. */
function lanesOf({ branch, offsets, from, to, timeOff }: AvailabilityQuestion): Lanes {
  const lastDay = dayOf(to);
  const opened = new Map<readonly Hours[], number[]>();
  /** By days that a visit may last. */
  const whole = new Map<number, Map<readonly Hours[], Spans>>();
  return (id, hours, visitMinutes) => {
    const within = opened.get(hours) ?? openings(offsets, branch, hours, from, to);
    opened.set(hours, within);
    const days = 1 + Math.ceil(visitMinutes / DAY_MINUTES);
    const byHours = whole.get(days) ?? new Map<readonly Hours[], Spans>();
    whole.set(days, byHours);
    const working =
      byHours.get(hours) ??
      workingTime([...within, ...openings(offsets, branch, hours, to, dateOf(lastDay + days))], []);
    byHours.set(hours, working);
    const off = timeOff.get(id) ?? [];
    return { opened: within, working: off.length === 0 ? working : without(working, covered(off)) };
  };
}

/** Starts at which everybody is at work for their parts and free of other work, of those that the resources allow. */
function staffStarts(question: AvailabilityQuestion, lanes: Lanes, shape: Shape, allowed: Spans | null): Spans {
  let starts: Spans | null = allowed;
  for (const [id, { present, busy }] of shape.staff) {
    const own = question.staff.find((each) => each.id === id)?.workingHours ?? [];
    const { working } = lanes(id, hoursOfStaff(question.branch, own), shape.visitMinutes);
    for (let i = 0; i < present.length; i += 2) {
      const within = startsWithin(working, present[i] ?? 0, present[i + 1] ?? 0);
      starts = starts === null ? within : intersection(starts, within);
    }
    starts = startsClear(starts ?? [], covered(question.busy.get(id) ?? []), busy);
  }
  return starts ?? [];
}

/** Starts at which the named resources, and enough others of every kind, are free throughout; null: none are needed. */
function resourceStarts(
  question: AvailabilityQuestion,
  lanes: Lanes,
  { visitMinutes, occupied }: Shape,
  resources: readonly Occupied[],
): Spans | null {
  const freeStarts = ({ id, workingHours }: Resource): Spans => {
    const hours = hoursOfResource(question.branch, workingHours);
    const off = question.timeOff.get(id) ?? [];
    const working = hours === null ? workingTime(ANY_TIME, off) : lanes(id, hours, visitMinutes).working;
    const starts = startsWithin(working, 0, visitMinutes);
    return startsClear(starts, covered(question.busy.get(id) ?? []), [occupied.start, occupied.end]);
  };
  const named = new Set(resources.flatMap(({ resourceId }) => resourceId ?? []));
  const sets = question.resources.filter(({ id }) => named.has(id)).map(freeStarts);
  for (const [kind, count] of unnamed(resources)) {
    const choice = question.resources.filter(
      (each) => each.branchId === question.branch.id && isChoice(each, kind, named),
    );
    sets.push(startsOfAtLeast(choice.map(freeStarts), count));
  }
  return sets.length === 0 ? null : sets.reduce(intersection);
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

/**
 * When the clock alone changes what is offered, in ms since 1970, or null: lead time takes the first start away, or the
 * next day of the branch comes into the horizon. Holds among what is busy expire besides (app.busy tells when).
 */
export function offeredUntil(
  services: readonly Service[],
  offsets: Offsets,
  now: number,
  offered: readonly { starts: readonly number[] }[],
): number | null {
  const leads = services.flatMap(({ leadTimeMinutes }) => leadTimeMinutes ?? []);
  const firsts = offered.flatMap(({ starts }) => starts[0] ?? []);
  const today = Math.floor(localAt(offsets, Math.floor(now / 60_000)) / DAY_MINUTES);
  // The lead time itself before its start one is offered still, a millisecond later not.
  const withdrawn = leads.length === 0 ? NEVER : (Math.min(NEVER, ...firsts) - Math.max(...leads)) * 60_000 + 1;
  const added = services.every(({ horizonDays }) => horizonDays === null)
    ? NEVER
    : reachedAt(offsets, (today + 1) * DAY_MINUTES) * 60_000;
  const until = Math.min(withdrawn, added);
  return until === NEVER ? null : until;
}
