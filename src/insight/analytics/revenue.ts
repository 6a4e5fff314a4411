import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { invoice } from '../../billing/invoices/resource.ts';
import { branch } from '../../catalog/branches/resource.ts';
import { service } from '../../catalog/services/resource.ts';
import { staffMember } from '../../catalog/staff/resource.ts';
import type { Money } from '../../core/currency.ts';
import type { ReadRoute } from '../../resources/read.ts';
import { type GroupRow, grouped, type Sums } from './groups.ts';
import { date, isCurrent, named, own, place, readOf } from './places.ts';
import { parseReport, type Report } from './query.ts';

const FIGURES = ['net', 'tax', 'gross'] as const;
const FIGURES_OF_TAXES = [...FIGURES, 'taxable'] as const;
type Figure = (typeof FIGURES_OF_TAXES)[number];

/**
 * What is heaped by columns as they are, of which is known how many there are; `key` is then made of heaps. Of invoices, where lines
 * need not be looked at; with `names`, where the names of groups are.
 */
type By = { of: SQL; key: SQL; lines: boolean; names?: SQL };
const ID = sql`h.of::text`;
const BY: Readonly<Record<string, By>> = {
  day: { of: sql`i.issue_date`, key: ID, lines: false },
  month: { of: sql`i.issue_date`, key: sql`to_char(h.of, 'YYYY-MM')`, lines: false },
  branch: { of: sql`i.branch_id`, key: ID, lines: false, names: sql`branches` },
  staff: { of: sql`l.staff_id`, key: ID, lines: true, names: sql`staff` },
  service: { of: sql`l.service_id`, key: ID, lines: true, names: sql`services` },
  // Prices are of a list, and so are the taxes on them.
  tax: { of: sql`l.taxes`, key: sql`t.tax ->> 'name' || ' ' || (t.tax ->> 'rateBasisPoints')`, lines: true },
};
export const REVENUE_BY = Object.keys(BY);

/** Issued and not called off. Whether it was paid, or given back since, is not asked: that is what payments and refunds say. */
export const ISSUED = sql`invoices.status in ('OPEN', 'PAID', 'UNCOLLECTIBLE')`;

type Row = GroupRow<Figure> & { currency: string };

/** What of a heap is summed: of invoices, or of their lines. */
const heaped = (lines: boolean): SQL =>
  lines
    ? sql`sum(l.net) as net, sum(l.tax) as tax, sum(l.total) as gross, count(*) as n`
    : sql`sum(i.total - i.tax) as net, sum(i.tax) as tax, sum(i.total) as gross, count(*) as n`;

/** And of a group; of taxes, where a line's net counts once. */
const summed = (groupBy: string): SQL =>
  groupBy === 'tax'
    ? sql`sum(case when t.n > 1 then 0 else h.net end) as net, coalesce(sum((t.tax ->> 'amount')::bigint * h.n), 0) as tax,
      sum(case when t.n > 1 then 0 else h.net end) + coalesce(sum((t.tax ->> 'amount')::bigint * h.n), 0) as gross, sum(h.net) as taxable`
    : sql`sum(h.net) as net, sum(h.tax) as tax, sum(h.gross) as gross, 0 as taxable`;

export const revenueReport: ReadRoute<Report, readonly [SQL<Row | { currency: string; current: null }>]> = {
  name: 'analytics.revenue',
  version: 1,
  ...readOf([invoice]),
  parse: (params, _principal, c) => parseReport(REVENUE_BY, params, c.env.ctx.now()),
  tags: ({ groupBy }) => [
    ...[invoice.topic, company.topic],
    ...(groupBy === 'branch' ? [branch.topic] : []),
    ...(groupBy === 'staff' ? [staffMember.topic] : []),
    ...(groupBy === 'service' ? [service.topic] : []),
  ],
  statements(report, principal) {
    const { companyId } = principal;
    const { to, before, groupBy, branchId } = report;
    const { of, key, lines, names } = BY[groupBy] ?? { of: sql`null::text`, key: sql`null`, lines: false };
    const taxes = sql`left join lateral jsonb_array_elements(h.of) with ordinality t (tax, n) on true`;
    const joined = sql`join invoice_lines l on l.company_id = ${companyId}::uuid and l.invoice_id = i.id`;
    return [
      sql`with ${place({ companyId, branchId })},
        i as (select invoices.id, invoices.branch_id, invoices.issue_date, invoices.tax, invoices.total from invoices
          where ${own(invoice, principal, { branchId })} and ${ISSUED}
          and invoices.issue_date >= ${date(before)} and invoices.issue_date < ${date(to)}),
        h as (select ${isCurrent(report, sql`i.issue_date`)} as current, ${of} as of, ${heaped(lines)} from i ${lines ? joined : sql``} group by 1, 2),
        g as (select h.current, case when h.current then ${key} end as key, ${summed(groupBy)} from h ${groupBy === 'tax' ? taxes : sql``} group by 1, 2)
        select p.currency, g.*, ${named(names, companyId)} as label from p left join g on true`,
    ];
  },
  answer([rows], report) {
    const currency = rows[0]?.currency ?? '';
    const figures = report.groupBy === 'tax' ? FIGURES_OF_TAXES : FIGURES;
    const found = rows.filter((row): row is Row => row.current !== null).map((row) => labelled(row, report));
    const { groups, total, previous } = grouped<Figure>(figures, 'gross', found, report);
    const money = (of: Sums<Figure>, names: readonly Figure[] = FIGURES): Record<string, Money> =>
      Object.fromEntries(names.map((name) => [name, { amount: of[name], currency }]));
    const data = groups.map(({ key, label, sums: of }) => ({ key, label, ...money(of, figures) }));
    return {
      body: JSON.stringify({ data, total: money(total), ...(previous !== null && { previous: money(previous) }) }),
    };
  },
};

/** A tax is called by its name and its rate. */
function labelled(row: Row, { groupBy }: Report): Row {
  if (groupBy !== 'tax' || row.key === null) return row;
  const [, name = '', rate = ''] = /^(.*) ([0-9]+)$/s.exec(row.key) ?? [];
  return { ...row, label: `${name} ${Number(rate) / 100} %` };
}
