import { APPOINTMENT_STATUSES } from '../../calendar/appointments/table.ts';
import { dateOf, dayOf } from '../../core/civil.ts';
import { formatId } from '../../core/id.ts';
import { recordOf } from '../../core/record.ts';
import type { Report } from './query.ts';

/** One group of a statement's answer; `current` is false of the span before, which is one group. Sums may come as text. */
export type GroupRow<F extends string> = { current: boolean; key: string | null; label: string | null } & Record<
  F,
  string | number
>;
export type Sums<F extends string> = Record<F, number>;
type Named = { key: string | null; label: string };
type Grouped<F extends string> = {
  groups: (Named & { sums: Sums<F> })[];
  /** Of all groups: each row of the database is in one. */
  total: Sums<F>;
  /** Of the span before; null: not asked for. */
  previous: Sums<F> | null;
};

/** How a grouping shows its groups. */
type Grouping = {
  /** Of ids: their prefix. */
  prefix?: 'brch' | 'stf' | 'svc';
  /** What stands for those that have none. */
  none?: string;
  /** Keys that are there also with nothing in them, in this order. Without: the largest group first, what has no key last. */
  all?: (report: Report) => string[];
  label?: (key: string) => string;
};

const daysOf = ({ from, to }: Report): string[] =>
  Array.from({ length: dayOf(to) - dayOf(from) }, (_, n) => dateOf(dayOf(from) + n));
const capital = (text: string): string => text.charAt(0) + text.slice(1).toLowerCase().replaceAll('_', ' ');

const GROUPINGS: Readonly<Record<string, Grouping>> = {
  day: { all: daysOf },
  month: { all: (report) => [...new Set(daysOf(report).map((day) => day.slice(0, 7)))] },
  status: { all: () => [...APPOINTMENT_STATUSES], label: capital },
  branch: { prefix: 'brch' },
  staff: { prefix: 'stf', none: 'No staff member' },
  service: { prefix: 'svc', none: 'No service' },
  tax: { none: 'No tax' },
  client: { all: () => ['NEW', 'RETURNING'], none: 'No client', label: capital },
};

/** The groups of a report in their order, and their totals. @param rank what the largest group has most of */
export function grouped<F extends string>(
  figures: readonly F[],
  rank: F,
  rows: readonly GroupRow<F>[],
  report: Report,
): Grouped<F> {
  const { prefix, none = '', all, label = (key: string) => key } = GROUPINGS[report.groupBy] ?? {};
  const sumsOf = (some: readonly GroupRow<F>[]): Sums<F> =>
    recordOf(figures, (figure) => some.reduce((sum, row) => sum + Number(row[figure]), 0));
  const current = rows.filter((row) => row.current);
  const shown = current.map((row) => ({
    key: row.key === null || prefix === undefined ? row.key : formatId(prefix, row.key),
    label: row.label ?? (row.key === null ? none : label(row.key)),
    sums: sumsOf([row]),
  }));
  const found = new Map(shown.map((group) => [group.key, group]));
  const keys = all?.(report) ?? [];
  const empty = keys.filter((key) => !found.has(key));
  const groups = [...shown, ...empty.map((key) => ({ key, label: label(key), sums: sumsOf([]) }))];
  const places = new Map<string | null, number>(keys.map((key, n) => [key, n]));
  const place = ({ key }: Named): number => (key === null ? Number.MAX_SAFE_INTEGER : (places.get(key) ?? 0));
  groups.sort(
    (a, b) =>
      place(a) - place(b) ||
      b.sums[rank] - a.sums[rank] ||
      order(a.label, b.label) ||
      order(String(a.key), String(b.key)),
  );
  const before = rows.filter((row) => !row.current);
  return { groups, total: sumsOf(current), previous: report.before === report.from ? null : sumsOf(before) };
}

/** By code units, so that it is the same everywhere. */
const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
