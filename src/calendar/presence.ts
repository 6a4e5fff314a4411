import { DAY_MINUTES, dateOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { localAt, type Offsets } from '../core/offsets.ts';
import type { Branch, Resource, StaffMember, Times } from './catalogue.ts';
import type { Occupied, Shape } from './parts.ts';
import { covered, includes, type Spans, touches } from './spans.ts';
import { type Hours, hoursOfResource, hoursOfStaff, openings, workingTime } from './working-time.ts';

/** Who or what stands in the way; of a kind, when too few of it are left. */
export type Hindrance = { staffId: string } | { resourceId: string } | { kind: string };

/** A booking where hours or time off keep somebody away. They are named by uuid, so only `saying` tells who. */
export class Away extends AppError {
  readonly absent: readonly Hindrance[];

  constructor(absent: readonly Hindrance[]) {
    super('outside_working_hours');
    this.absent = absent;
  }
}

/** What keeps a booking from one start, and which resources it would have. */
export type Verdict = { absent: Hindrance[]; taken: Hindrance[]; chosen: string[] };

export type Known = {
  branch: Branch;
  staff: ReadonlyMap<string, StaffMember>;
  /** Those of the branch, in the order in which they are chosen: name, id. */
  resources: readonly Resource[];
  timeOff: Times;
};
type Needs = { shape: Shape; resources: readonly Occupied[] };

/**
 * Whether a booking can start at this minute. `absent`: whom hours or time off keep away, staff while they do their
 * parts, resources throughout; buffers may lie outside of hours. `taken`: who is there, but busy with something else.
 * @param anyTime hours and time off are not asked for, so that nobody is absent
 */
export function judgeStart(
  known: Known,
  offsets: Offsets,
  needs: Needs,
  start: number,
  busy: Times,
  anyTime: boolean = false,
): Verdict {
  const { shape } = needs;
  const verdict: Verdict = { absent: [], taken: [], chosen: [] };
  const works = (staffId: string, present: Spans): boolean => {
    const hours = hoursOfStaff(known.branch, known.staff.get(staffId)?.workingHours ?? []);
    const working = worked(known, offsets, hours, staffId, start, start + shape.visitMinutes);
    return eachPiece(present, start, (from, to) => includes(working, from, to));
  };
  for (const [staffId, { present, busy: pieces }] of shape.staff) {
    if (!anyTime && !works(staffId, present)) verdict.absent.push({ staffId });
    const taken = covered(busy.get(staffId) ?? []);
    if (!eachPiece(pieces, start, (from, to) => !touches(taken, from, to))) verdict.taken.push({ staffId });
  }
  judgeResources(known, offsets, needs, start, busy, anyTime, verdict);
  return verdict;
}

const eachPiece = (pieces: Spans, start: number, holds: (from: number, to: number) => boolean): boolean =>
  pieces.every((from, i) => i % 2 === 1 || holds(start + from, start + (pieces[i + 1] ?? from)));

function judgeResources(
  known: Known,
  offsets: Offsets,
  { shape, resources }: Needs,
  start: number,
  busy: Times,
  anyTime: boolean,
  { absent, taken, chosen }: Verdict,
): void {
  const end = start + shape.visitMinutes;
  const isThere = ({ id, workingHours }: Resource): boolean => {
    if (anyTime) return true;
    const hours = hoursOfResource(known.branch, workingHours);
    if (hours === null) return !touches(covered(known.timeOff.get(id) ?? []), start, end);
    return includes(worked(known, offsets, hours, id, start, end), start, end);
  };
  const isFree = ({ id }: Resource): boolean =>
    !touches(covered(busy.get(id) ?? []), start + shape.occupied.start, start + shape.occupied.end);

  const named = new Set(resources.flatMap(({ resourceId }) => resourceId ?? []));
  for (const resource of known.resources.filter(({ id }) => named.has(id))) {
    chosen.push(resource.id);
    if (!isThere(resource)) absent.push({ resourceId: resource.id });
    else if (!isFree(resource)) taken.push({ resourceId: resource.id });
  }
  for (const [kind, count] of unnamed(resources)) {
    const there = known.resources.filter((each) => isChoice(each, kind, named) && isThere(each));
    const free = there.filter(isFree).slice(0, count);
    if (there.length < count) absent.push({ kind });
    else if (free.length < count) taken.push({ kind });
    chosen.push(...free.map(({ id }) => id));
  }
}

/** How many of each kind the database is to choose. */
export function unnamed(resources: readonly Occupied[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, resourceId } of resources) {
    if (resourceId === null) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Whether it may be chosen for this kind by one that names others. */
export const isChoice = (resource: Resource, kind: string, named: ReadonlySet<string>): boolean =>
  resource.kind === kind && resource.isActive && !named.has(resource.id);

/** Working time on the days from the one before this start to the one after this end. */
function worked(
  known: Known,
  offsets: Offsets,
  hours: readonly Hours[],
  id: string,
  start: number,
  end: number,
): Spans {
  const firstDay = Math.floor(localAt(offsets, start) / DAY_MINUTES) - 1;
  const endDay = Math.floor(localAt(offsets, end) / DAY_MINUTES) + 2;
  const opened = openings(offsets, known.branch, hours, dateOf(firstDay), dateOf(endDay));
  return workingTime(opened, known.timeOff.get(id) ?? []);
}
