import type { Fault } from '../core/errors.ts';
import { fault, queryRefusal, strayParameters } from '../core/query-values.ts';
import { METRICS } from '../data/monitor.ts';
import type { AppContext } from '../http/context.ts';
import { type Declared, readDeclared } from '../http/declared-query.ts';
import type { QueryParameter } from '../http/route.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = { m: MINUTE, h: HOUR, d: DAY } as const;

/** Points of a history at most, and about how many there are where no step is asked for. */
const MOST_POINTS = 1000;
const USUAL_POINTS = 240;
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
} as const satisfies Declared;

/** The length of `5m`, ms; null of what is no length. */
function lengthOf(text: string): number | null {
  const [, count, unit] = /^([1-9][0-9]{0,3})([mhd])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS];
}

/** @throws AppError unknown_parameter, invalid_parameter */
function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0) throw queryRefusal([...faults]);
}

const paramsOf = (c: AppContext): URLSearchParams => new URL(c.req.url).searchParams;

/** The window that is asked for, and its length, ms. @throws AppError */
export function windowAsked(c: AppContext): { window: string; span: number } {
  const params = paramsOf(c);
  const faults = strayParameters(params, Object.keys(WINDOW));
  const window = params.get('window') ?? WINDOW.window.fallback;
  const span = /[mh]$/.test(window) ? lengthOf(window) : null;
  if (span === null || span > DAY) faults.push(fault('window', 'invalid_value', 'Must be from 1m to 24h, such as 5m.'));
  refuse(faults);
  return { window, span: span ?? 0 };
}

type HistoryAsked = { metric: (typeof METRICS)[number]; from: number; to: number; step: number };

/** The history that is asked for, its ends at steps of UTC. @throws AppError */
export function historyAsked(c: AppContext, now: number): HistoryAsked {
  const { values, faults } = readDeclared(HISTORY, paramsOf(c));
  const instantOf = (text: string | undefined, fallback: number): number =>
    text === undefined ? fallback : Date.parse(text);
  const to = instantOf(values.to, now);
  const from = instantOf(values.from, to - HOUR);
  if (from >= to) faults.push(fault('from', 'out_of_range', 'Must be before `to`.'));
  const fitting = STEPS.find((each) => (to - from) / (lengthOf(each) ?? 1) <= USUAL_POINTS) ?? '1d';
  const step = lengthOf(values.step ?? fitting) ?? MINUTE;
  if ((to - from) / step > MOST_POINTS)
    faults.push(fault('step', 'out_of_range', `Must be longer: at most ${MOST_POINTS} points.`));
  refuse(faults);
  const metric = METRICS.find((name) => name === values.metric) ?? 'totalRequests';
  return { metric, from, to, step };
}
