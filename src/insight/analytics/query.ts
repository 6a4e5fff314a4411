import { dateOf, dayOf } from '../../core/civil.ts';
import type { Fault } from '../../core/errors.ts';
import { NOBODY } from '../../core/id.ts';
import { type FilterDeclaration, type FilterKind, parseFilter, queryRefusal } from '../../core/query-values.ts';
import type { QueryParameter } from '../../http/route.ts';

export const PERMISSION = 'analytics:read';
/** F2: figures may be a minute old, ms, unless a caller says what they have seen. */
export const MAX_STALE = 60_000;

/** A year; months of ten years. Beyond that an answer is one to export and count. */
const MOST_DAYS = 366;
const MOST_DAYS_BY_MONTH = 3660;

type Parameter = QueryParameter & { kind: FilterKind };
export type Parameters = Readonly<Record<string, Parameter>>;

const branchId: Parameter = {
  kind: 'id',
  description: 'Of this branch alone, by days of its zone; absent: of all, by days of the company’s zone.',
};

/** What every report may be asked; `by` are its groupings, the first when nothing is said. */
export const reportParameters = (by: readonly string[]) =>
  ({
    from: { kind: 'date', description: 'The first day.', required: true },
    to: {
      kind: 'date',
      description: `The day after the last; at most ${MOST_DAYS} days later${by.includes('month') ? `, ${MOST_DAYS_BY_MONTH} by month` : ''}.`,
      required: true,
    },
    ...(by.length > 0 && {
      groupBy: { kind: 'enum', values: by, fallback: by[0] ?? '', description: 'What the groups are.' } as const,
    }),
    branchId,
    compare: {
      kind: 'enum',
      values: ['previous'],
      description: '`previous`: answers the totals of as many days before, too.',
    } as const,
  }) satisfies Parameters;

export const DASHBOARD_PARAMETERS: Parameters = { branchId };

/** Days are half-open; `before` is the first of those to compare with, else `from`. The branch is a uuid. */
export type Report = {
  from: string;
  to: string;
  before: string;
  groupBy: string;
  branchId: string | null;
  normalised: string;
};

/** @throws AppError invalid_parameter, unknown_parameter */
export function parseReport(by: readonly string[], params: URLSearchParams): Report {
  const { values, faults } = valuesOf(reportParameters(by), params);
  const { from = '', to = '', groupBy = by[0] ?? '', branchId = null, compare } = values;
  if (from !== '' && to !== '') {
    const most = groupBy === 'month' ? MOST_DAYS_BY_MONTH : MOST_DAYS;
    const days = dayOf(to) - dayOf(from);
    if (days < 1 || days > most)
      faults.push(faultOf('to', 'out_of_range', `Must be 1 to ${most} days after from; that day is not included.`));
  }
  if (faults.length > 0) throw queryRefusal(faults);
  const before = compare === undefined ? from : dateOf(2 * dayOf(from) - dayOf(to));
  const report = { from, to, before, groupBy, branchId };
  return { ...report, normalised: JSON.stringify(report) };
}

/** @throws AppError unknown_parameter */
export function parseDashboard(params: URLSearchParams): { branchId: string | null; normalised: string } {
  const { values, faults } = valuesOf(DASHBOARD_PARAMETERS, params);
  if (faults.length > 0) throw queryRefusal(faults);
  const { branchId = null } = values;
  return { branchId, normalised: String(branchId) };
}

const faultOf = (parameter: string, code: string, detail: string): Fault => ({ parameter, code, detail });

/** What is asked, as far as it is right, and what is wrong with the rest. */
function valuesOf(
  declared: Parameters,
  params: URLSearchParams,
): { values: Partial<Record<string, string>>; faults: Fault[] } {
  const values: Partial<Record<string, string>> = {};
  const faults: Fault[] = [];
  for (const name of new Set(params.keys())) {
    const allowed = `Allowed: ${Object.keys(declared).join(', ')}.`;
    if (!Object.hasOwn(declared, name))
      faults.push(faultOf(name.slice(0, 60).toWellFormed(), 'unknown_parameter', allowed));
    else if (params.getAll(name).length > 1) faults.push(faultOf(name, 'duplicate_parameter', 'Must be given once.'));
  }
  for (const [name, parameter] of Object.entries(declared)) {
    const text = params.get(name);
    if (text === null || text === '') {
      if (parameter.required === true) faults.push(faultOf(name, 'required', 'Is required.'));
      if (text === null) continue;
    }
    const parsed = parseFilter(name, filterOf(parameter), text ?? '');
    if ('fault' in parsed) {
      if (text !== '' || parameter.required !== true) faults.push(parsed.fault);
    } else values[name] = parsed.value === 'none' ? NOBODY : String(parsed.value);
  }
  return { values, faults };
}

const filterOf = ({ kind, values, description }: Parameter): FilterDeclaration => ({
  kind,
  description,
  ...(values !== undefined && { values }),
  ...(kind === 'id' && { prefix: 'brch' }),
});
