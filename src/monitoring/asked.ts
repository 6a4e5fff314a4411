import type { Fault } from '../core/errors.ts';
import { parseInstant } from '../core/instant.ts';
import { fault, queryRefusal } from '../core/query-values.ts';
import { METRICS } from '../data/monitor.ts';
import type { AppContext } from '../http/context.ts';
import type { QueryParameter } from '../http/route.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = { m: MINUTE, h: HOUR, d: DAY } as const;

/** Points of a history at most, and about how many there are where no step is asked for. */
const MOST_POINTS = 1000;
const USUAL_POINTS = 240;
/** The last moment of which anybody may ask, ms. */
const LAST = Date.UTC(3000, 0);
const STEPS = ['1m', '5m', '15m', '1h', '6h', '1d'] as const;

export const WINDOW = {
  window: { fallback: '5m', description: 'How far back, from `1m` to `24h`: whole minutes (`m`) or hours (`h`).' },
} as const satisfies Record<string, QueryParameter>;

export const HISTORY = {
  metric: { kind: 'enum', values: METRICS, required: true, description: 'Which figure.' },
  from: { kind: 'instant', description: 'Where it begins; an hour before `to` where absent. Up to 90 days ago.' },
  to: { kind: 'instant', description: 'Where it ends; now where absent.' },
  step: {
    kind: 'enum',
    values: STEPS,
    description: `How long each point is; where absent, so that there are at most ${USUAL_POINTS}. At most ${MOST_POINTS} points; steps below 1h reach 48 hours back.`,
  },
} as const satisfies Record<string, QueryParameter>;

/** The length of `5m`, ms; null of what is no length. */
function lengthOf(text: string): number | null {
  const [, count, unit] = /^([1-9][0-9]{0,3})([mhd])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS];
}

/** @throws AppError unknown_parameter, invalid_parameter */
function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0) throw queryRefusal([...faults]);
}

function oddOnes(params: URLSearchParams, allowed: readonly string[]): Fault[] {
  return [...new Set(params.keys())].flatMap((name) => {
    if (!allowed.includes(name)) return [fault(name, 'unknown_parameter', `Allowed: ${allowed.join(', ')}.`)];
    return params.getAll(name).length > 1 ? [fault(name, 'duplicate_parameter', 'Must be given once.')] : [];
  });
}

const paramsOf = (c: AppContext): URLSearchParams => new URL(c.req.url).searchParams;

/** The window that is asked for, and its length, ms. @throws AppError */
export function windowAsked(c: AppContext): { window: string; span: number } {
  const params = paramsOf(c);
  const faults = oddOnes(params, Object.keys(WINDOW));
  const window = params.get('window') ?? WINDOW.window.fallback;
  const span = /[mh]$/.test(window) ? lengthOf(window) : null;
  if (span === null || span > DAY) faults.push(fault('window', 'invalid_value', 'Must be from 1m to 24h, such as 5m.'));
  refuse(faults);
  return { window, span: span ?? 0 };
}

export type HistoryAsked = { metric: (typeof METRICS)[number]; from: number; to: number; step: number };

/** The history that is asked for, its ends at steps of UTC. @throws AppError */
export function historyAsked(c: AppContext, now: number): HistoryAsked {
  const params = paramsOf(c);
  const faults = oddOnes(params, Object.keys(HISTORY));
  const metric = METRICS.find((name) => name === params.get('metric'));
  if (metric === undefined) faults.push(fault('metric', 'unknown_value', `Must be one of ${METRICS.join(', ')}.`));
  const instantOf = (name: string, fallback: number): number => {
    const text = params.get(name);
    const read = text === null ? null : parseInstant(text.replace(/ (?=[0-9]{2}:[0-9]{2}$)/, '+'));
    // Steps that end beyond the year 9999 have no name.
    const instant = read !== null && Date.parse(read) < LAST ? read : null;
    if (text !== null && instant === null)
      faults.push(
        fault(name, 'invalid_value', 'Must be an RFC 3339 instant with offset, such as 2026-01-31T09:00:00Z.'),
      );
    return instant === null ? fallback : Date.parse(instant);
  };
  const to = instantOf('to', now);
  const from = instantOf('from', to - HOUR);
  if (from >= to) faults.push(fault('from', 'out_of_range', 'Must be before `to`.'));
  const name = params.get('step');
  const fitting = STEPS.find((each) => (to - from) / (lengthOf(each) ?? 1) <= USUAL_POINTS);
  const step = lengthOf(STEPS.find((each) => each === (name ?? fitting ?? '1d')) ?? '');
  if (step === null) faults.push(fault('step', 'unknown_value', `Must be one of ${STEPS.join(', ')}.`));
  else if ((to - from) / step > MOST_POINTS)
    faults.push(fault('step', 'out_of_range', `Must be longer: at most ${MOST_POINTS} points.`));
  refuse(faults);
  return { metric: metric ?? 'totalRequests', from, to, step: step ?? MINUTE };
}
