import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { appointment } from '../../calendar/appointments/resource.ts';
import { branch } from '../../catalog/branches/resource.ts';
import type { ReadRoute } from '../../resources/read.ts';
import { beside } from '../../resources/row-sql.ts';
import { type GroupRow, grouped } from './groups.ts';
import { appointmentDays, DAY, date, isCurrent, place, readOf } from './places.ts';
import { parseReport, type Report } from './query.ts';

const FIGURES = ['count', 'visits', 'noShows'] as const;

type Statements = readonly [SQL<GroupRow<(typeof FIGURES)[number]>>];

/** Who had an appointment that was not cancelled, for the first time in the company or again. Merged clients are one. */
export const clientReport: ReadRoute<Report, Statements> = {
  name: 'analytics.clients',
  version: 1,
  ...readOf([appointment]),
  parse: (params, _principal, c) => ({ ...parseReport([], params, c.env.ctx.now()), groupBy: 'client' }),
  tags: () => [appointment.topic, company.topic, branch.topic],
  statements(report, principal) {
    const { companyId } = principal;
    const { from, to, before, branchId } = report;
    const span = { companyId, branchId, first: date(before), end: date(to) };
    // By whatever branch: a client is the company's. Days of the branch asked for are as its lists have them, whose others too (appointmentDays).
    const day =
      branchId === null
        ? DAY
        : sql`case when appointments.branch_id = ${branchId}::uuid then appointments.local_date else ${DAY} end`;
    // No zone is more than 12 hours behind UTC.
    const earlier = sql`appointments.company_id = ${companyId}::uuid and appointments.client_id = c.client_id
      and appointments.status <> 'CANCELLED' and appointments.starts_at < (${date(from)} + time '12:00') at time zone 'UTC'
      and ${day} < ${date(from)}${beside(appointment, principal)}`;
    return [
      sql`with ${place({ companyId, branchId })},
        a as (${appointmentDays(appointment, principal, span, sql`appointments.client_id, appointments.status`)}),
        c as (select ${isCurrent(report, sql`a.day`)} as current, a.client_id, count(*) filter (where a.status = 'COMPLETED') as visits,
          count(*) filter (where a.status = 'NO_SHOW') as no_shows
          from a where a.status <> 'CANCELLED' group by 1, 2),
        k as (select c.*, case when not c.current or c.client_id is null then null when exists (select from p, appointments
            where ${earlier}) then 'RETURNING' else 'NEW' end as key from c)
        select k.current, k.key, null as label, count(k.client_id)::int as count, sum(k.visits)::int as visits, sum(k.no_shows)::int as "noShows"
        from k group by 1, 2`,
    ];
  },
  answer([rows], report) {
    const { groups, total, previous } = grouped(FIGURES, 'count', rows, report);
    const data = groups.map(({ key, label, sums }) => ({ key, label, ...sums }));
    return { body: JSON.stringify({ data, total, ...(previous !== null && { previous }) }) };
  },
};
