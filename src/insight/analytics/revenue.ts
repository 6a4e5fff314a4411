import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { invoice } from '../../billing/invoices/resource.ts';
import { branch } from '../../catalog/branches/resource.ts';
import { service } from '../../catalog/services/resource.ts';
import { staffMember } from '../../catalog/staff/resource.ts';
import type { Money } from '../../core/currency.ts';
import { type ReadRoute, TTL } from '../../resources/read.ts';
import { type GroupRow, grouped, type Sums } from './groups.ts';
import { date, named, own, place, scopeOfAll } from './places.ts';
import { MAX_STALE, PERMISSION, parseReport, type Report } from './query.ts';

const FIGURES = ['net', 'tax', 'gross'] as const;
const FIGURES_OF_TAXES = [...FIGURES, 'taxable'] as const;
type Figure = (typeof FIGURES_OF_TAXES)[number];

/** Of invoices, where lines need not be looked at; with `names`, where the names of groups are. */
type By = { key: SQL; lines: boolean; names?: SQL };
const BY: Readonly<Record<string, By>> = {
  day: { key: sql`i.issue_date::text`, lines: false },
  month: { key: sql`to_char(i.issue_date, 'YYYY-MM')`, lines: false },
  branch: { key: sql`i.branch_id::text`, lines: false, names: sql`branches` },
  staff: { key: sql`l.staff_id::text`, lines: true, names: sql`staff` },
  service: { key: sql`l.service_id::text`, lines: true, names: sql`services` },
  tax: { key: sql`t.tax ->> 'name' || ' ' || (t.tax ->> 'rateBasisPoints')`, lines: true },
};
export const REVENUE_BY = Object.keys(BY);

/** Issued and not called off. Whether it was paid, or given back since, is not asked: that is what payments and refunds say. */
export const ISSUED = sql`invoices.status in ('OPEN', 'PAID', 'UNCOLLECTIBLE')`;

type Row = GroupRow<Figure> & { currency: string };

/** What of a group is summed: of invoices, of their lines, or of the taxes of these, where a line's net counts once. */
function sums(groupBy: string): SQL {
  if (groupBy === 'tax')
    return sql`sum(case when t.n > 1 then 0 else l.net end) as net, coalesce(sum((t.tax ->> 'amount')::bigint), 0) as tax,
      sum(case when t.n > 1 then 0 else l.net end) + coalesce(sum((t.tax ->> 'amount')::bigint), 0) as gross, sum(l.net) as taxable`;
  if (BY[groupBy]?.lines === true)
    return sql`sum(l.net) as net, sum(l.tax) as tax, sum(l.total) as gross, 0 as taxable`;
  return sql`sum(i.total - i.tax) as net, sum(i.tax) as tax, sum(i.total) as gross, 0 as taxable`;
}

export const revenueReport: ReadRoute<Report, readonly [SQL<Row | { currency: string; current: null }>]> = {
  name: 'analytics.revenue',
  version: 1,
  permission: PERMISSION,
  ...scopeOfAll([invoice]),
  ttl: TTL.analytics,
  maxStale: MAX_STALE,
  parse: (params) => parseReport(REVENUE_BY, params),
  tags: ({ groupBy }) => [
    ...[invoice.topic, company.topic],
    ...(groupBy === 'branch' ? [branch.topic] : []),
    ...(groupBy === 'staff' ? [staffMember.topic] : []),
    ...(groupBy === 'service' ? [service.topic] : []),
  ],
  statements({ from, to, before, groupBy, branchId }, principal) {
    const { companyId } = principal;
    const { key, lines, names } = BY[groupBy] ?? { key: sql`null`, lines: false };
    const taxes = sql`left join lateral jsonb_array_elements(l.taxes) with ordinality t (tax, n) on true`;
    const joined = sql`join invoice_lines l on l.company_id = ${companyId}::uuid and l.invoice_id = i.id ${groupBy === 'tax' ? taxes : sql``}`;
    return [
      sql`with ${place({ companyId, branchId })},
        i as (select invoices.id, invoices.branch_id, invoices.issue_date, invoices.tax, invoices.total from invoices
          where ${own(invoice, principal, { companyId, branchId })} and ${ISSUED}
          and invoices.issue_date >= ${date(before)} and invoices.issue_date < ${date(to)}),
        g as (select i.issue_date >= ${date(from)} as current, case when i.issue_date >= ${date(from)} then ${key} end as key, ${sums(groupBy)}
          from i ${lines ? joined : sql``} group by 1, 2)
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
