import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { invoice } from '../../billing/invoices/resource.ts';
import { appointment } from '../../calendar/appointments/resource.ts';
import { APPOINTMENT_STATUSES } from '../../calendar/appointments/table.ts';
import { branch } from '../../catalog/branches/resource.ts';
import { formatId, NOBODY } from '../../core/id.ts';
import { client } from '../../people/clients/resource.ts';
import { nextQuarter } from '../../resources/filters.ts';
import type { ParsedQuery, ReadRoute } from '../../resources/read.ts';
import { beside } from '../../resources/row-sql.ts';
import { appointmentDays, own, place, readOf } from './places.ts';
import { parseDashboard } from './query.ts';
import { ISSUED } from './revenue.ts';

/** Over how many whole days before today the share of no-shows is told. */
const DAYS = 30;

type Query = ParsedQuery & { branchId: string | null };
/** Sums come as text. */
type Row = {
  currency: string;
  zone: string;
  today: string;
  at: string;
  statuses: Record<string, number>;
  upcoming: number;
  next: string | null;
  completed: number;
  missed: number;
  new_today: number;
  new_month: number;
  overdue: number;
} & Record<'tax_today' | 'gross_today' | 'tax_month' | 'gross_month' | 'due', string>;

/**
 * Wide bounds that do not hang on the zone, which is read beside: by these the planner knows how few rows it is about. Today is UTC's
 * or a day beside it.
 */
const near = (column: SQL, before: number, after: number): SQL =>
  sql` and ${column} >= (now() at time zone 'UTC')::date - ${before}::int and ${column} < (now() at time zone 'UTC')::date + ${after}::int`;

/** What an owner looks at in the morning, of today in the zone of the company or the branch. */
export const dashboard: ReadRoute<Query, readonly [SQL<Row>]> = {
  name: 'analytics.dashboard',
  version: 1,
  ...readOf([appointment, invoice, client]),
  parse: parseDashboard,
  tags: () => [appointment.topic, invoice.topic, client.topic, company.topic, branch.topic],
  statements({ branchId }, principal) {
    const { companyId } = principal;
    const whose = { companyId, branchId };
    const span = { ...whose, first: sql`p.today - ${DAYS}::int`, end: sql`p.today + 1` };
    const there = own(invoice, principal, whose);
    const booked =
      branchId === null
        ? sql``
        : sql` and exists (select from appointments where ${own(appointment, principal, whose)} and appointments.client_id = clients.id)`;
    return [
      sql`with ${place(whose)},
        a as (${appointmentDays(appointment, principal, span, sql`appointments.status, appointments.starts_at, p.today, p.at`, near(sql`appointments.local_date`, DAYS + 4, 5))}),
        m as materialized (select app.reached_at(p.zone, p.month) as began, app.reached_at(p.zone, p.today) as today from p),
        d as materialized (select b.id, app.local_at(b.time_zone, p.at)::date as today from p, branches b where b.company_id = ${companyId}::uuid),
        s as (select coalesce(jsonb_object_agg(status, n), '{}') as statuses from (select status, count(*) as n from a where day = today group by 1) x)
        select p.currency, p.zone, p.today::text, p.at::text, s.statuses, t.*, k.*, i.*, o.* from p, s,
        lateral (select (count(*) filter (where a.day = a.today and a.status in ('PENDING', 'CONFIRMED') and a.starts_at > a.at))::int as upcoming,
          (min(a.starts_at) filter (where a.day = a.today and a.status in ('PENDING', 'CONFIRMED') and a.starts_at > a.at))::text as next,
          (count(*) filter (where a.day < a.today and a.status = 'COMPLETED'))::int as completed,
          (count(*) filter (where a.day < a.today and a.status = 'NO_SHOW'))::int as missed from a) t,
        lateral (select (count(*) filter (where clients.created_at >= m.today))::int as new_today, count(*)::int as new_month
          from clients, m where clients.company_id = ${companyId}::uuid and clients.status in ('ACTIVE', 'INACTIVE', 'ARCHIVED')
          and clients.created_at >= m.began and clients.created_at >= now() - interval '33 days' and clients.merged_into is null${booked}${beside(client, principal)}) k,
        lateral (select coalesce(sum(invoices.tax) filter (where invoices.issue_date = p.today), 0) as tax_today,
          coalesce(sum(invoices.total) filter (where invoices.issue_date = p.today), 0) as gross_today,
          coalesce(sum(invoices.tax), 0) as tax_month, coalesce(sum(invoices.total), 0) as gross_month
          from invoices where ${there} and ${ISSUED} and invoices.issue_date >= p.month and invoices.issue_date < (p.month + interval '1 month')::date${near(sql`invoices.issue_date`, 33, 34)}) i,
        lateral (select count(*)::int as overdue, coalesce(sum(invoices.balance), 0) as due from invoices
          join d on d.id = invoices.branch_id
          where ${there} and invoices.status = 'OPEN' and invoices.balance > 0 and invoices.due_date < d.today) o`,
    ];
  },
  answer([[row]], { branchId }) {
    if (row === undefined) throw new Error('a company without a row');
    const { currency } = row;
    const money = (amount: number) => ({ amount, currency });
    const revenue = (gross: number, tax: number) => ({ net: money(gross - tax), tax: money(tax), gross: money(gross) });
    const byStatus = Object.fromEntries(APPOINTMENT_STATUSES.map((status) => [status, row.statuses[status] ?? 0]));
    const met = row.completed + row.missed;
    const body = {
      ...{
        date: row.today,
        timeZone: row.zone,
        branchId: branchId === null || branchId === NOBODY ? null : formatId('brch', branchId),
      },
      appointments: {
        count: Object.values(byStatus).reduce((sum, n) => sum + n, 0),
        upcoming: row.upcoming,
        byStatus,
      },
      revenue: {
        today: revenue(Number(row.gross_today), Number(row.tax_today)),
        month: revenue(Number(row.gross_month), Number(row.tax_month)),
      },
      newClients: { today: row.new_today, month: row.new_month },
      overdue: { count: row.overdue, balance: money(Number(row.due)) },
      noShows: {
        ...{ days: DAYS, completed: row.completed, noShows: row.missed },
        rate: met === 0 ? null : Math.round((row.missed / met) * 10_000) / 10_000,
      },
    };
    // Every day begins at a quarter of some hour, whatever the zone; and who is expected next is there, or late.
    const ends = [nextQuarter(Date.parse(row.at)), ...(row.next === null ? [] : [Date.parse(row.next)])];
    return { body: JSON.stringify(body), validUntil: Math.min(...ends) };
  },
};
