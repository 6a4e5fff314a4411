import type { AlertRule, AlertState } from '../data/monitor.ts';

const MINUTE = 60_000;
/** A clock that was so far ahead, and is not any more, is not waited for, ms. */
const FAR = 60 * MINUTE;

/** Where a rule stands: since when, ms; the minute it was last looked at, and how many in a row were beyond its threshold. */
export type Standing = { state: AlertState; since: number; minute: number; streak: number };

export const standingAt = (minute: number): Standing => ({
  state: 'OK',
  since: minute,
  minute: minute - MINUTE,
  streak: 0,
});

type Rule = Pick<AlertRule, 'comparison' | 'threshold' | 'hysteresis' | 'forMinutes'>;

/**
 * Where a rule stands after a minute with this value, null where nothing was measured: that neither fires nor clears, and
 * breaks a row. A minute that was looked at before, as where a clock stepped back, changes nothing.
 */
export function afterMinute(rule: Rule, before: Standing, minute: number, value: number | null): Standing {
  if (minute <= before.minute && before.minute - minute < FAR) return before;
  const { comparison, threshold, hysteresis, forMinutes } = rule;
  const sign = comparison === 'ABOVE' ? 1 : -1;
  const beyond = value !== null && sign * (value - threshold) > 0;
  const to = (state: AlertState, streak: number): Standing => ({
    ...{ state, minute, streak },
    since: state === before.state ? before.since : minute,
  });
  if (before.state === 'FIRING') {
    const isBack = value !== null && sign * (value - threshold) <= -hysteresis;
    return isBack ? to('OK', 0) : to('FIRING', before.streak);
  }
  if (!beyond) return to('OK', 0);
  const streak = (minute - before.minute === MINUTE ? before.streak : 0) + 1;
  return to(streak >= forMinutes ? 'FIRING' : 'PENDING', streak);
}
