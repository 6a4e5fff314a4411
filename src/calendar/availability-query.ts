import { DAY_MINUTES, dayOf } from '../core/civil.ts';
import type { Fault } from '../core/errors.ts';
import { uuidOf } from '../core/id.ts';
import { BEYOND, isDate, isNear } from '../core/instant.ts';
import { queryRefusal, strayParameters } from '../core/query-values.ts';
import { namesOf } from '../core/record.ts';
import type { QueryParameter } from '../http/route.ts';
import { type Question, questionOf } from './question.ts';

const MOST_DAYS = 31;
const MOST_SERVICES = 20;
const STEP = 15;
/** Starts of one answer, 27 bytes each: fifty people, a month, quarter hours around the clock are 148,800. */
const MOST_STARTS = 150_000;

export const AVAILABILITY_QUERY = {
  serviceId: {
    description: 'What is to be booked; several, separated by commas, follow one another, all by one staff member.',
    required: true,
  },
  branchId: { kind: 'id', description: 'Where.', required: true },
  staffId: { kind: 'id', description: 'With whom; absent: anybody who works there and offers all of it.' },
  from: { kind: 'date', description: 'The first day, of the zone of the branch.', required: true },
  to: { kind: 'date', description: `The day after the last; at most ${MOST_DAYS} days later.`, required: true },
  stepMinutes: {
    kind: 'integer',
    minimum: 1,
    maximum: DAY_MINUTES,
    fallback: STEP,
    description: `How far starts are apart, counted from each opening. At most ${MOST_STARTS} starts are answered at once.`,
  },
} as const satisfies Record<string, QueryParameter>;

type Name = keyof typeof AVAILABILITY_QUERY;
const NAMES = namesOf(AVAILABILITY_QUERY);

/** Ids are uuids; one that is none is nobody's. */
export type AvailabilityQuery = {
  serviceIds: readonly string[];
  branchId: string;
  staffId: string | null;
  from: string;
  to: string;
  stepMinutes: number;
  normalised: string;
  /** What has to be known of the calendar. */
  question: Question;
};

/** @throws AppError invalid_parameter, unknown_parameter */
export function parseAvailability(params: URLSearchParams): AvailabilityQuery {
  const faults: Fault[] = strayParameters(params, NAMES);
  const report = (parameter: string, code: string, detail: string): void => {
    faults.push({ parameter, code, detail });
  };
  const required = (name: Name): string => {
    const text = params.get(name) ?? '';
    if (text === '') report(name, 'required', 'Is required.');
    return text;
  };
  const serviceIds = required('serviceId').split(',');
  if (serviceIds.length > MOST_SERVICES)
    report('serviceId', 'out_of_range', `Must name at most ${MOST_SERVICES} services.`);
  const branchId = required('branchId');
  const date = (name: 'from' | 'to'): string => {
    const text = required(name);
    if (text !== '' && !isDate(text)) report(name, 'invalid_value', 'Must be a date, such as 2026-01-31.');
    else if (text !== '' && !isNear(text)) report(name, 'out_of_range', BEYOND);
    return text;
  };
  const [from, to] = [date('from'), date('to')];
  if (isDate(from) && isDate(to)) {
    const days = dayOf(to) - dayOf(from);
    if (days < 1 || days > MOST_DAYS)
      report('to', 'out_of_range', `Must be 1 to ${MOST_DAYS} days after from; that day is not included.`);
  }
  const step = params.get('stepMinutes') ?? String(STEP);
  const stepMinutes = /^[1-9][0-9]{0,3}$/.test(step) ? Number(step) : 0;
  if (stepMinutes < 1 || stepMinutes > DAY_MINUTES)
    report('stepMinutes', 'out_of_range', `Must be a whole number from 1 to ${DAY_MINUTES}.`);
  if (faults.length > 0) throw queryRefusal(faults);
  const staff = params.get('staffId');
  const query = {
    serviceIds: serviceIds.map((id) => uuidOf('svc', id)),
    branchId: uuidOf('brch', branchId),
    staffId: staff === null ? null : uuidOf('stf', staff),
    ...{ from, to, stepMinutes },
  };
  const { branchId: branch, staffId } = query;
  const whom = { branchId: branch, serviceIds: query.serviceIds, staffIds: staffId === null ? null : [staffId] };
  return { ...query, normalised: JSON.stringify(query), question: questionOf({ ...whom, ...reachOf(query) }) };
}

/** @throws AppError invalid_parameter */
export function requireAnswerable(starts: number): void {
  if (starts <= MOST_STARTS) return;
  const detail = `These are ${starts} starts; at most ${MOST_STARTS} are answered at once. Ask for fewer days, a larger step or one staff member.`;
  throw queryRefusal([{ parameter: 'stepMinutes', code: 'out_of_range', detail }]);
}

/** A zone's midnight may come 14 hours before that of UTC or 12 after it. */
const [EAST, WEST] = [14 * 60, 12 * 60];

/**
 * Between which minutes what is busy matters for starts on these days, wherever the branch is: a buffer of a day before,
 * and after the last start two days of work (its last part begins within the first) and a buffer of a day.
 */
function reachOf({ from, to }: Pick<AvailabilityQuery, 'from' | 'to'>): { first: number; last: number } {
  return {
    first: (dayOf(from) - 1) * DAY_MINUTES - EAST,
    last: (dayOf(to) + 3) * DAY_MINUTES + WEST,
  };
}
