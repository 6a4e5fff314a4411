import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { appointment } from '../../calendar/appointments/resource.ts';
import { branch } from '../../catalog/branches/resource.ts';
import { service } from '../../catalog/services/resource.ts';
import { staffMember } from '../../catalog/staff/resource.ts';
import type { ReadRoute } from '../../resources/read.ts';
import { type GroupRow, grouped } from './groups.ts';
import { appointmentHeaps, date, isCurrent, named, place, readOf } from './places.ts';
import { parseReport, type Report } from './query.ts';

const FIGURES = ['count', 'completed', 'cancelled', 'noShows'] as const;

/**
 * What groups are of, beside day and status, and where their names are. An appointment is one, so of several staff or services the
 * first counts.
 */
const BY: Readonly<Record<string, { of?: SQL; key: SQL; names?: SQL }>> = {
  day: { key: sql`a.day::text` },
  status: { key: sql`a.status` },
  branch: { of: sql`appointments.branch_id`, key: sql`a.key::text`, names: sql`branches` },
  staff: { of: sql`appointments.staff_id`, key: sql`a.key::text`, names: sql`staff` },
  service: { of: sql`appointments.services -> 0 ->> 'serviceId'`, key: sql`a.key`, names: sql`services` },
};
export const APPOINTMENTS_BY = Object.keys(BY);

type Statements = readonly [SQL<GroupRow<(typeof FIGURES)[number]>>];

export const appointmentReport: ReadRoute<Report, Statements> = {
  name: 'analytics.appointments',
  version: 1,
  ...readOf([appointment]),
  parse: (params, _principal, c) => parseReport(APPOINTMENTS_BY, params, c.env.ctx.now()),
  tags: ({ groupBy }) => [
    ...[appointment.topic, company.topic, branch.topic],
    ...(groupBy === 'staff' ? [staffMember.topic] : []),
    ...(groupBy === 'service' ? [service.topic] : []),
  ],
  statements(report, principal) {
    const { companyId } = principal;
    const { to, before, groupBy, branchId } = report;
    const { of = sql`null::text`, key, names } = BY[groupBy] ?? { key: sql`null` };
    const span = { companyId, branchId, first: date(before), end: date(to) };
    const current = isCurrent(report, sql`a.day`);
    const sum = (status: string): SQL => sql`(coalesce(sum(a.n) filter (where a.status = ${status}), 0))::int`;
    return [
      sql`with ${place({ companyId, branchId })}, ${appointmentHeaps(appointment, principal, span, of)},
        g as (select ${current} as current, case when ${current} then ${key} end as key, sum(a.n)::int as count,
          ${sum('COMPLETED')} as completed, ${sum('CANCELLED')} as cancelled, ${sum('NO_SHOW')} as "noShows"
          from a group by 1, 2)
        select g.*, ${named(names, companyId)} as label from g`,
    ];
  },
  answer([rows], report) {
    const { groups, total, previous } = grouped(FIGURES, 'count', rows, report);
    const data = groups.map(({ key, label, sums }) => ({ key, label, ...sums }));
    return { body: JSON.stringify({ data, total, ...(previous !== null && { previous }) }) };
  },
};
