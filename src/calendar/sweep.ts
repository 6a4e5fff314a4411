import { DAY_MINUTES, dateOf, dayOf } from '../core/civil.ts';
import type { Offsets } from '../core/offsets.ts';
import { type Branch, offers, type Resource, type Service, type StaffMember, type Times } from './catalogue.ts';
import { anyOf, durationOf, type Occupied, partsOf, type Shape, shapeOf } from './parts.ts';
import { isChoice, unnamed } from './presence.ts';
import { covered, intersection, type Spans, without } from './spans.ts';
import { startsClear, startsOfAtLeast, startsWithin } from './starts.ts';
import { type Hours, hoursOfResource, hoursOfStaff, openings, rangeOf } from './working-time.ts';

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
  busy: ReadonlyMap<string, Spans>;
};

/** What one of the staff can begin, whatever the step and the time: openings, and the starts that all of it allows. */
export type Swept = {
  opened: readonly number[];
  starts: Spans;
  /** What kept them busy. */
  busy: Spans | undefined;
};

/** What a visit takes of whoever does all of it, and its starts that hours and resources allow, by working time. */
type Visit = { minutes: number; present: Spans; busy: Spans; allowed: Spans; within: Map<Spans, Spans> };

/**
 * The starts that hours, time off, bookings and resources allow, by staff member. Hours, time off and bookings become sets of
 * starts, so nothing is tried out; what several have in common is found once, and each one's bookings are passed once.
 * @param known of whom they are known, as they are
 */
export function sweep(
  question: AvailabilityQuestion,
  known: (id: string) => Swept | undefined = () => undefined,
): Map<string, Swept> {
  const { branch, services, staff } = question;
  const lanes = lanesOf(question);
  const visits = visitsOf(question, lanes);
  const swept = new Map<string, Swept>();
  for (const member of staff) {
    if (!member.isActive || !member.branchIds.includes(branch.id)) continue;
    if (services.every((its) => offers(member, its))) swept.set(member.id, known(member.id) ?? sweptFor(member));
  }
  return swept;

  function sweptFor({ id, workingHours }: StaffMember): Swept {
    const visit = visits(id);
    const { opened, working } = lanes(id, hoursOfStaff(branch, workingHours), visit.minutes);
    let within = visit.within.get(working);
    if (within === undefined) {
      within = startsPresent(visit.allowed, working, visit.present);
      visit.within.set(working, within);
    }
    const busy = question.busy.get(id);
    return { opened, starts: startsClear(within, busy ?? [], visit.busy), busy };
  }
}

/** The visit of the services to one staff member: to all who take as long for each it is the same. */
function visitsOf(question: AvailabilityQuestion, lanes: Lanes): (staffId: string) => Visit {
  const { services } = question;
  const requires = services.map((service) => service.requires);
  const visits = new Map<string, Visit>();
  // Buffers are the services' own, so what the resources allow differs by duration alone.
  const allowed = new Map<number, Spans>();
  return (staffId) => {
    const key = services.map((service) => durationOf(service, staffId)).join();
    const found = visits.get(key);
    if (found !== undefined) return found;
    const shape = shapeOf(partsOf(services.map((service) => ({ service, staffId }))), requires);
    const { visitMinutes: minutes, kinds } = shape;
    const starts = allowed.get(minutes) ?? resourceStarts(question, lanes, shape, anyOf(kinds));
    allowed.set(minutes, starts);
    const { present, busy } = shape.staff.get(staffId) ?? { present: [], busy: [] };
    const visit = { minutes, present, busy, allowed: starts, within: new Map<Spans, Spans>() };
    visits.set(key, visit);
    return visit;
  };
}

/** Openings of whoever begins planned work, whoever does its parts, with the resources it names, and the starts that all of it allows. */
export function sweepOfWork(
  question: AvailabilityQuestion,
  { shape, resources }: { shape: Shape; resources: readonly Occupied[] },
): { opened: readonly number[]; starts: Spans } {
  const lanes = lanesOf(question);
  const laneOf = (staffId: string) => {
    const own = question.staff.find(({ id }) => id === staffId)?.workingHours ?? [];
    return lanes(staffId, hoursOfStaff(question.branch, own), shape.visitMinutes);
  };
  let starts = resourceStarts(question, lanes, shape, resources);
  for (const [id, { present, busy }] of shape.staff)
    starts = startsClear(startsPresent(starts, laneOf(id).working, present), question.busy.get(id) ?? [], busy);
  const [beginner] = shape.staff.keys();
  return { opened: beginner === undefined ? [] : laneOf(beginner).opened, starts };
}

type Lane = { opened: readonly number[]; working: Spans };
type Lanes = (id: string, hours: readonly Hours[], visitMinutes: number) => Lane;

/** Openings within the range, and working time within it and as long after it as a visit may last. */
function lanesOf({ branch, offsets, from, to, timeOff }: AvailabilityQuestion): Lanes {
  const lastDay = dayOf(to);
  /** By days that a visit may last, by hours: of people with the same ones they are the same lists. */
  const lanes = new Map<number, Map<readonly Hours[], Lane>>();
  const known = new Map<string, readonly Hours[]>();
  const names = new Map<readonly Hours[], readonly Hours[]>();
  const sameAs = (hours: readonly Hours[]): readonly Hours[] => {
    const found = names.get(hours);
    if (found !== undefined) return found;
    const name = JSON.stringify(hours);
    const same = known.get(name) ?? hours;
    known.set(name, same);
    names.set(hours, same);
    return same;
  };
  return (id, hours, visitMinutes) => {
    const days = 1 + Math.ceil(visitMinutes / DAY_MINUTES);
    const byHours = lanes.get(days) ?? new Map<readonly Hours[], Lane>();
    lanes.set(days, byHours);
    const own = sameAs(hours);
    let lane = byHours.get(own);
    if (lane === undefined) {
      const opened = openings(offsets, branch, own, from, to);
      const after = openings(offsets, branch, own, to, dateOf(lastDay + days));
      lane = { opened, working: covered([...opened, ...after]) };
      byHours.set(own, lane);
    }
    const off = timeOff.get(id);
    return off === undefined || off.length === 0 ? lane : { ...lane, working: without(lane.working, covered(off)) };
  };
}

/** Those of the starts at which somebody is at work for their parts. */
function startsPresent(starts: Spans, working: Spans, present: Spans): Spans {
  let left = starts;
  for (let i = 0; i < present.length; i += 2)
    left = intersection(left, startsWithin(working, present[i] ?? 0, present[i + 1] ?? 0));
  return left;
}

/** Starts within the range at which the named resources, and enough others of every kind, are free throughout. */
function resourceStarts(
  question: AvailabilityQuestion,
  lanes: Lanes,
  { visitMinutes, occupied }: Shape,
  resources: readonly Occupied[],
): Spans {
  const { branch, offsets, from, to, timeOff, busy } = question;
  const throughout = [0, visitMinutes];
  const startsOf =
    ({ id, workingHours }: Resource) =>
    (among: Spans): Spans => {
      const hours = hoursOfResource(branch, workingHours);
      const there =
        hours === null
          ? startsClear(among, covered(timeOff.get(id) ?? []), throughout)
          : startsPresent(among, lanes(id, hours, visitMinutes).working, throughout);
      return startsClear(there, busy.get(id) ?? [], [occupied.start, occupied.end]);
    };
  const { start, end } = rangeOf(offsets, from, to);
  let starts: Spans = start < end ? [start, end] : [];
  const named = new Set(resources.flatMap(({ resourceId }) => resourceId ?? []));
  for (const resource of question.resources) if (named.has(resource.id)) starts = startsOf(resource)(starts);
  for (const [kind, count] of unnamed(resources)) {
    const choice = question.resources.filter((each) => each.branchId === branch.id && isChoice(each, kind, named));
    starts = startsOfAtLeast(starts, count, choice.map(startsOf));
  }
  return starts;
}
