import { DAY_MINUTES, instantTexts, localOf, localText } from '../core/civil.ts';
import { localAt, type Offsets } from '../core/offsets.ts';
import type { Times } from './catalogue.ts';
import type { Occupied, Shape } from './parts.ts';
import { judgeStart, type Known } from './presence.ts';
import { MAX_REACH_DAYS, occurrences } from './recurrence.ts';
import { lastLocal, type Rule, ruleText } from './rrule.ts';
import { resolveLocal } from './start.ts';

export type OccurrenceVerdict = 'OK' | 'SLOT_TAKEN' | 'OUTSIDE_WORKING_HOURS' | 'NONEXISTENT' | 'AMBIGUOUS';
/** `startsAt` is null where there is no such time, or two. */
export type Occurrence = { localStart: string; startsAt: string | null; verdict: OccurrenceVerdict };

/**
 * The local minutes of a series, in the zone of `offsets`.
 * @throws AppError invalid_rrule
 */
export function localStarts(offsets: Offsets, rule: Rule, localStart: string): number[] {
  const { until } = rule;
  return occurrences(
    rule,
    localOf(localStart),
    until === null ? null : lastLocal(until, (minute) => localAt(offsets, minute)),
  );
}

/** For which minutes offsets are needed before the starts are known: from the first day to the last possible one. */
export function reach(rule: Rule, localStart: string): { first: number; last: number } {
  const first = localOf(localStart);
  if (rule.until === null) return { first, last: occurrences(rule, first, null).at(-1) ?? first };
  const last = lastLocal(rule.until, (minute) => minute + DAY_MINUTES);
  return { first, last: Math.min(last, first + MAX_REACH_DAYS * DAY_MINUTES) };
}

/**
 * A verdict for every occurrence of planned work at these local minutes, in order. Each that is OK counts as booked for
 * the ones after it. `busy` covers staff and resources over the whole series.
 */
export function judgeSeries(
  known: Known,
  offsets: Offsets,
  work: { shape: Shape; resources: readonly Occupied[] },
  starts: readonly number[],
  busy: Times,
  options: { ignoreWorkingHours?: boolean; allowOverlap?: boolean; fold?: 'EARLIER' | 'LATER' | undefined } = {},
): Occurrence[] {
  const { shape } = work;
  const taken = new Map<string, readonly number[]>(busy);
  const take = (id: string, start: number, pieces: readonly number[]): void => {
    taken.set(id, [...(taken.get(id) ?? []), ...pieces.map((each) => start + each)]);
  };
  return starts.map((local): Occurrence => {
    const localStart = localText(local);
    const resolved = resolveLocal(offsets, local, options.fold);
    if ('verdict' in resolved) return { localStart, startsAt: null, verdict: resolved.verdict };
    const start = resolved.minute;
    const [startsAt = null] = instantTexts([start]);
    const { absent, taken: met, chosen } = judgeStart(known, offsets, work, start, taken);
    if (absent.length > 0 && !options.ignoreWorkingHours)
      return { localStart, startsAt, verdict: 'OUTSIDE_WORKING_HOURS' };
    if (met.length > 0 && !options.allowOverlap) return { localStart, startsAt, verdict: 'SLOT_TAKEN' };
    for (const [staffId, pieces] of shape.staff) take(staffId, start, pieces.busy);
    for (const id of chosen) take(id, start, [shape.occupied.start, shape.occupied.end]);
    return { localStart, startsAt, verdict: 'OK' };
  });
}

export type Scope = 'THIS' | 'FOLLOWING' | 'ALL';

/** Which of a series' occurrences, by where the series has them, an edit of one of them means. */
export const affected = <T extends { localStart: string }>(all: readonly T[], localStart: string, scope: Scope): T[] =>
  all.filter(
    (each) => scope === 'ALL' || (scope === 'THIS' ? each.localStart === localStart : each.localStart >= localStart),
  );

/** Where an occurrence goes when another of its series is moved: as far on the wall clock, so that all keep in step. */
export const moved = (localStart: string, from: string, to: string): string =>
  localText(localOf(localStart) + localOf(to) - localOf(from));

/** The rule that begins with the first of these starts and gives just them, counted; null where this rule cannot. */
function ruleFor(rule: Rule, starts: readonly number[]): string | null {
  const [first] = starts;
  if (first === undefined) return null;
  const part: Rule = { ...rule, count: starts.length, until: null };
  return String(occurrences(part, first, null)) === String(starts) ? ruleText(part) : null;
}

/**
 * A series in two at one of its occurrences: the rule of those before it, and one that begins with it, both counted, so
 * that together they give what the rule gave. Null where a side has no occurrence.
 */
export function splitRule(
  rule: Rule,
  starts: readonly number[],
  at: number,
): { before: string | null; following: string | null } {
  const cut = starts.indexOf(at);
  if (cut < 0) return { before: ruleFor(rule, starts), following: null };
  return { before: ruleFor(rule, starts.slice(0, cut)), following: ruleFor(rule, starts.slice(cut)) };
}

/**
 * The rule of a series that was moved by so many minutes on the wall clock; null where none says it, as when a month's
 * last day moves back.
 */
export function movedRule(rule: Rule, starts: readonly number[], by: number): string | null {
  const there = starts.map((start) => start + by);
  const days = Math.floor((there[0] ?? 0) / DAY_MINUTES) - Math.floor((starts[0] ?? 0) / DAY_MINUTES);
  const turned = rule.byDay.map((each) => ({ ...each, weekday: ((((each.weekday - 1 + days) % 7) + 7) % 7) + 1 }));
  const candidates: Rule[] = [rule, { ...rule, byDay: turned }, { ...rule, byDay: [], byMonthDay: [], byMonth: [] }];
  for (const candidate of candidates) {
    if (candidate.bySetPosition.length > 0 && candidate.byDay.length + candidate.byMonthDay.length === 0) continue;
    const text = ruleFor(candidate, there);
    if (text !== null) return text;
  }
  return null;
}
