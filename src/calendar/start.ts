import { instantTexts, localOf, minuteOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { aroundGap, localAt, minutesAt, type Offsets } from '../core/offsets.ts';

export type Fold = 'EARLIER' | 'LATER';
/** When a booking is to begin: an instant, or what the wall clock of a zone is to show. */
export type WantedStart = { startsAt: string } | { localStart: string; fold?: Fold | undefined };

/** The minute at which the wall clock shows this; otherwise why there is no one such minute. */
export type Resolved =
  | { minute: number }
  | { verdict: 'NONEXISTENT'; around: number[] }
  | { verdict: 'AMBIGUOUS'; both: number[] };

export function resolveLocal(offsets: Offsets, local: number, fold?: Fold): Resolved {
  const [earlier, later] = minutesAt(offsets, local);
  if (earlier === undefined) return { verdict: 'NONEXISTENT', around: aroundGap(offsets, local) };
  if (later === undefined) return { minute: earlier };
  if (fold === undefined) return { verdict: 'AMBIGUOUS', both: [earlier, later] };
  return { minute: fold === 'EARLIER' ? earlier : later };
}

/** Which of two an instant is, where clocks show its local time twice. */
export function foldOf(offsets: Offsets, minute: number): Fold | undefined {
  const [earlier, later] = minutesAt(offsets, localAt(offsets, minute));
  if (later === undefined) return undefined;
  return minute === earlier ? 'EARLIER' : 'LATER';
}

/**
 * The minute of a wanted start, in the zone that `offsets` are of.
 * @throws AppError nonexistent_local_time with the two times around the gap, ambiguous_local_time with both instants, invalid_body
 */
export function minuteOfStart(offsets: Offsets, wanted: WantedStart): number {
  requireWholeMinute(wanted);
  if ('startsAt' in wanted) return minuteOf(wanted.startsAt);
  const resolved = resolveLocal(offsets, localOf(wanted.localStart), wanted.fold);
  if ('minute' in resolved) return resolved.minute;
  const { timeZone } = offsets;
  if (resolved.verdict === 'NONEXISTENT') {
    throw new AppError('nonexistent_local_time', `Clocks in ${timeZone} are set past that time.`, {
      faults: [{ pointer: '/localStart', code: 'nonexistent_local_time', detail: 'No clock shows this time.' }],
      extra: { suggestions: instantTexts(resolved.around) },
    });
  }
  throw new AppError('ambiguous_local_time', `Clocks in ${timeZone} show that time twice. Say which with fold.`, {
    faults: [{ pointer: '/localStart', code: 'ambiguous_local_time', detail: 'Clocks show this time twice.' }],
    extra: { instants: instantTexts(resolved.both) },
  });
}

/** @throws AppError invalid_body */
export function requireWholeMinute(wanted: WantedStart): void {
  const isInstant = 'startsAt' in wanted;
  const isWhole = isInstant
    ? Date.parse(wanted.startsAt) % 60_000 === 0
    : /T[0-9]{2}:[0-9]{2}(?::00(?:\.0+)?)?$/.test(wanted.localStart);
  if (isWhole) return;
  const pointer = isInstant ? '/startsAt' : '/localStart';
  const faults = [{ pointer, code: 'invalid_format', detail: 'Must be a whole minute.' }];
  throw new AppError('invalid_body', undefined, { faults });
}
