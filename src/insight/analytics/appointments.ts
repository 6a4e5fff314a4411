import { type SQL, sql } from 'drizzle-orm';
import { company } from '../../account/company/resource.ts';
import { appointment } from '../../calendar/appointments/resource.ts';
import { branch } from '../../catalog/branches/resource.ts';
import { service } from '../../catalog/services/resource.ts';
import { staffMember } from '../../catalog/staff/resource.ts';
import { type ReadRoute, TTL } from '../../resources/read.ts';
import { type GroupRow, grouped } from './groups.ts';
import { appointmentDays, date, named, place, scopeOfAll } from './places.ts';
import { MAX_STALE, PERMISSION, parseReport, type Report } from './query.ts';

const FIGURES = ['count', 'completed', 'cancelled', 'noShows'] as const;

/** What groups are of, and where their names are. An appointment is one, so of several staff or services the first counts. */
const BY: Readonly<Record<string, { key: SQL; names?: SQL }>> = {
  day: { key: sql`a.day::text` },
  status: { key: sql`a.status` },
  branch: { key: sql`a.branch_id::text`, names: sql`branches` },
  staff: { key: sql`a.staff_id::text`, names: sql`staff` },
  service: { key: sql`a.services -> 0 ->> 'serviceId'`, names: sql`services` },
};
export const APPOINTMENTS_BY = Object.keys(BY);

type Statements = readonly [SQL<GroupRow<(typeof FIGURES)[number]>>];

export const appointmentReport: ReadRoute<Report, Statements> = {
  name: 'analytics.appointments',
  version: 1,
  permission: PERMISSION,
  ...scopeOfAll([appointment]),
  ttl: TTL.analytics,
  maxStale: MAX_STALE,
  parse: (params) => parseReport(APPOINTMENTS_BY, params),
  tags: ({ groupBy }) => [
    ...[appointment.topic, company.topic, branch.topic],
    ...(groupBy === 'staff' ? [staffMember.topic] : []),
    ...(groupBy === 'service' ? [service.topic] : []),
  ],
  statements({ from, to, before, groupBy, branchId }, principal) {
    const { companyId } = principal;
    const { key, names } = BY[groupBy] ?? { key: sql`null` };
    const span = { companyId, branchId, first: date(before), end: date(to) };
    const columns = sql`appointments.status, appointments.branch_id, appointments.staff_id, appointments.services`;
    return [
      sql`with ${place({ companyId, branchId })},
        a as (${appointmentDays(appointment, principal, span, columns)}),
        g as (select a.day >= ${date(from)} as current, case when a.day >= ${date(from)} then ${key} end as key, count(*)::int as count,
          (count(*) filter (where a.status = 'COMPLETED'))::int as completed,
          (count(*) filter (where a.status = 'CANCELLED'))::int as cancelled,
          (count(*) filter (where a.status = 'NO_SHOW'))::int as "noShows"
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
