import { DAY_MINUTES, instantTexts, localOf, localText } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { BEYOND, isNear } from '../core/instant.ts';
import { localAt, type Offsets } from '../core/offsets.ts';
import type { Times } from './catalogue.ts';
import type { Occupied, Shape } from './parts.ts';
import { judgeStart, type Known } from './presence.ts';
import { MAX_REACH_DAYS, occurrences } from './recurrence.ts';
import { lastLocal, type Rule } from './rrule.ts';
import { type Fold, resolveLocal } from './start.ts';
import type { Taken } from './taken.ts';

export const OCCURRENCE_VERDICTS = ['OK', 'SLOT_TAKEN', 'OUTSIDE_WORKING_HOURS', 'NONEXISTENT', 'AMBIGUOUS'] as const;
export type OccurrenceVerdict = (typeof OCCURRENCE_VERDICTS)[number];

/**
 * The local minutes of a series, in the zone of `offsets`.
 * @throws AppError invalid_rrule
 */
export function localStarts(offsets: Offsets, rule: Rule, localStart: string): number[] {
  const { until } = rule;
  const last = until === null ? null : lastLocal(until, (minute) => localAt(offsets, minute));
  const starts = occurrences(rule, localOf(localStart), last);
  if (isNear(localText(starts.at(-1) ?? 0))) return starts;
  throw new AppError('invalid_rrule', BEYOND, {
    faults: [{ pointer: '/rrule', code: 'out_of_range', detail: BEYOND }],
  });
}

/** For which minutes offsets are needed before the starts are known: from the first day to the last possible one. */
export function reach(rule: Rule, localStart: string): { first: number; last: number } {
  const first = localOf(localStart);
  if (rule.until === null) return { first, last: occurrences(rule, first, null).at(-1) ?? first };
  const last = lastLocal(rule.until, (minute) => minute + DAY_MINUTES);
  return { first, last: Math.min(Math.max(first, last), first + MAX_REACH_DAYS * DAY_MINUTES) };
}

/** One occurrence that is to be placed: what the wall clock is to show, or the minute where that stays as it is. */
export type Candidate = {
  id: string;
  local: number;
  minute?: number | undefined;
  work: { shape: Shape; resources: readonly Occupied[] } | null;
  /** Resources it has so far and keeps where they are free. */
  prefers?: readonly string[];
};

/** What becomes of it. `start` is null where there is no such time, or two. */
export type Placing = { id: string; local: number; start: number | null; verdict: OccurrenceVerdict; chosen: string[] };

type Liberties = {
  ignoreWorkingHours?: boolean | undefined;
  allowOverlap?: boolean | undefined;
  fold?: Fold | undefined;
};

/**
 * A verdict for every candidate, in order. Each that is OK counts as booked for the ones after it; where it was before, if
 * `taken` holds it by its id, it is in the way of those before it alone. Work that is null can be done at no time.
 * @param offsets of the branch's zone; `told` of the one in which the series keeps its time
 */
export function judgeSeries(
  known: Known,
  { offsets, told }: { offsets: Offsets; told: Offsets },
  candidates: readonly Candidate[],
  taken: Taken,
  { ignoreWorkingHours = false, allowOverlap = false, fold }: Liberties = {},
): Placing[] {
  return candidates.map(({ id, local, minute, work, prefers = [] }): Placing => {
    const resolved = minute === undefined ? resolveLocal(told, local, fold) : { minute };
    if ('verdict' in resolved) return { id, local, start: null, verdict: resolved.verdict, chosen: [] };
    const start = resolved.minute;
    if (work === null) return { id, local, start, verdict: 'SLOT_TAKEN', chosen: [] };
    const placing = (verdict: OccurrenceVerdict, chosen: string[] = []): Placing => ({
      ...{ id, local, start, verdict, chosen },
    });
    const busy = allowOverlap ? NOTHING : taken.near(start, id);
    const {
      absent,
      taken: met,
      chosen,
    } = judgeStart(preferring(known, prefers), offsets, work, start, busy, ignoreWorkingHours);
    if (absent.length > 0) return placing('OUTSIDE_WORKING_HOURS');
    if (met.length > 0) return placing('SLOT_TAKEN');
    taken.lift(id);
    if (!allowOverlap) taken.put(id, { start, shape: work.shape, resources: chosen });
    return placing('OK', chosen);
  });
}

const NOTHING: Times = new Map();

/** As the database chooses: what is preferred first. */
const preferring = (known: Known, prefers: readonly string[]): Known =>
  prefers.length === 0
    ? known
    : {
        ...known,
        resources: known.resources.toSorted((a, b) => Number(prefers.includes(b.id)) - Number(prefers.includes(a.id))),
      };

/** An occurrence as answers show it. */
export const occurrenceOf = ({ local, start, verdict }: Placing) => {
  const [startsAt = null] = start === null ? [] : instantTexts([start]);
  return { localStart: localText(local), startsAt, verdict };
};

export const SCOPES = ['THIS', 'FOLLOWING', 'ALL'] as const;
export type Scope = (typeof SCOPES)[number];

/** Which of a series' occurrences, by where the series has them, an edit of one of them means. */
export const affected = <T extends { localStart: string }>(
  all: readonly T[],
  localStart: string | null,
  scope: Scope,
): T[] =>
  all.filter(
    (each) =>
      scope === 'ALL' ||
      (localStart !== null && (scope === 'THIS' ? each.localStart === localStart : each.localStart >= localStart)),
  );
