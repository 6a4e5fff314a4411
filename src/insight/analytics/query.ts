import { dateOf, dayOf } from '../../core/civil.ts';
import { NOBODY } from '../../core/id.ts';
import { fault, queryRefusal } from '../../core/query-values.ts';
import { type Declared, readDeclared } from '../../http/declared-query.ts';

export const PERMISSION = 'analytics:read';

/** A year; months of ten years. Beyond that an answer is one to export and count. */
const MOST_DAYS = 366;
const MOST_DAYS_BY_MONTH = 3660;

const DAY = 86_400_000;
/** What a report is of when nothing is said: these days, the last of them today wherever today is latest. */
const USUAL_DAYS = 31;
const USUAL = `Absent, as both are: ${USUAL_DAYS} days up to tomorrow by UTC, which is today somewhere.`;

const branchId = {
  kind: 'id',
  prefix: 'brch',
  description: 'Of this branch alone, by days of its zone; absent: of all, by days of the company’s zone.',
} as const;

/** The branch as a uuid; one that is none is nobody's. */
const branchOf = ({ branchId: asked = null }: { branchId?: string | null }): string | null =>
  asked === 'none' ? NOBODY : asked;

/** What every report may be asked; `by` are its groupings, the first when nothing is said. */
export const reportParameters = (by: readonly string[]) =>
  ({
    from: { kind: 'date', description: `The first day. ${USUAL}` },
    to: {
      kind: 'date',
      description: `The day after the last; at most ${MOST_DAYS} days later${by.includes('month') ? `, ${MOST_DAYS_BY_MONTH} by month` : ''}.`,
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
  }) satisfies Declared;

export const DASHBOARD_PARAMETERS: Declared = { branchId };

/** Days are half-open; `before` is the first of those to compare with, else `from`. The branch is a uuid. */
export type Report = {
  from: string;
  to: string;
  before: string;
  groupBy: string;
  branchId: string | null;
  normalised: string;
  until?: number;
};

/** @throws AppError invalid_parameter, unknown_parameter */
export function parseReport(by: readonly string[], params: URLSearchParams, now: number): Report {
  const { values, faults } = readDeclared(reportParameters(by), params);
  const isUsual = !params.has('from') && !params.has('to');
  const today = Math.floor(now / DAY);
  const usual: Partial<Record<string, string>> = isUsual
    ? { from: dateOf(today + 2 - USUAL_DAYS), to: dateOf(today + 2) }
    : {};
  const { from = '', to = '', groupBy = by[0] ?? '', compare } = { ...values, ...usual };
  for (const name of ['from', 'to'])
    if (!isUsual && !params.has(name)) faults.push(fault(name, 'required', 'Goes with the other.'));
  if (from !== '' && to !== '') {
    const most = groupBy === 'month' ? MOST_DAYS_BY_MONTH : MOST_DAYS;
    const days = dayOf(to) - dayOf(from);
    if (days < 1 || days > most)
      faults.push(fault('to', 'out_of_range', `Must be 1 to ${most} days after from; that day is not included.`));
  }
  if (faults.length > 0) throw queryRefusal(faults);
  const before = compare === undefined ? from : dateOf(2 * dayOf(from) - dayOf(to));
  const report = { from, to, before, groupBy, branchId: branchOf(values) };
  return { ...report, normalised: JSON.stringify(report), ...(isUsual && { until: (today + 1) * DAY }) };
}

/** @throws AppError unknown_parameter */
export function parseDashboard(params: URLSearchParams): { branchId: string | null; normalised: string } {
  const { values, faults } = readDeclared(DASHBOARD_PARAMETERS, params);
  if (faults.length > 0) throw queryRefusal(faults);
  const branch = branchOf(values);
  return { branchId: branch, normalised: String(branch) };
}
