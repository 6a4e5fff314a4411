import { DAY_MINUTES } from '../core/civil.ts';
import { localAt, type Offsets, reachedAt } from '../core/offsets.ts';
import type { Service } from './catalogue.ts';
import type { Occupied, Shape } from './parts.ts';
import { countSteps, stepsOf } from './starts.ts';
import { type AvailabilityQuestion, type Swept, sweep, sweepOfWork } from './sweep.ts';
import { rangeOf } from './working-time.ts';

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

/**
 * The same for work that is planned already, whoever does its parts, with the resources it names; steps are those of
 * whoever begins. `staff` and `services` of the question must hold those of the work.
 */
export function freeStartsOfWork(
  question: AvailabilityQuestion,
  work: { shape: Shape; resources: readonly Occupied[] },
): number[] {
  const [beginner] = work.shape.staff.keys();
  if (!question.staff.some(({ id }) => id === beginner)) return [];
  const { opened, starts } = sweepOfWork(question, work);
  const { first, end } = offeredRange(question);
  return stepsOf(opened, starts, question.stepMinutes, first, end);
}

function offeredRange({ offsets, services, from, to, now }: AvailabilityQuestion): { first: number; end: number } {
  const range = rangeOf(offsets, from, to);
  const window = offeredWindow(services, offsets, now);
  return { first: Math.max(range.start, window.from), end: Math.min(range.end, window.to) };
}

const NEVER = Number.POSITIVE_INFINITY;

/** From and to which minute the services are offered now: the longest lead time, the shortest horizon in whole days. */
function offeredWindow(services: readonly Service[], offsets: Offsets, now: number): { from: number; to: number } {
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
