import type { SQL } from 'drizzle-orm';
import { type RouteSpec, routesBelow } from '../../http/route.ts';
import type { Schema } from '../../http/schemas.ts';
import { type ParsedQuery, type ReadRoute, read } from '../../resources/read.ts';
import { APPOINTMENTS_BY, appointmentReport } from './appointments.ts';
import { clientReport } from './clients.ts';
import { dashboard } from './dashboard.ts';
import { DASHBOARD_PARAMETERS, PERMISSION, reportParameters } from './query.ts';
import { REVENUE_BY, revenueReport } from './revenue.ts';
import { AppointmentReport, ClientReport, Dashboard, RevenueReport } from './schema.ts';

const FRESH = 'May be a minute old, and says so (`X-Cache: STALE`), unless `Min-Revision` is sent.';

type Told = Pick<RouteSpec, 'path' | 'summary' | 'query'> & { description: string; schema: Schema; shows: string };

const figures = <Q extends ParsedQuery, const S extends readonly SQL[]>(
  { description, schema, shows, ...told }: Told,
  route: ReadRoute<Q, S>,
): RouteSpec => ({
  ...told,
  method: 'get',
  tag: 'Analytics',
  description: `${description} ${FRESH}`,
  permission: PERMISSION,
  success: { status: 200, schema, description: shows, cached: true },
  errors: [],
  handler: read(route),
});

export const analyticsRoutes = routesBelow(['analytics'], () => [
  figures(
    {
      path: '/analytics/dashboard',
      summary: 'Figures of today',
      description:
        'Today by its appointments, revenue, new clients and overdue invoices, and how many did not come lately.',
      query: DASHBOARD_PARAMETERS,
      schema: Dashboard,
      shows: 'Figures of today',
    },
    dashboard,
  ),
  figures(
    {
      path: '/analytics/appointments',
      summary: 'Count appointments',
      description:
        'By the day they begin. Each counts once: with its first staff member and first service. Days and statuses without any are there.',
      query: reportParameters(APPOINTMENTS_BY),
      schema: AppointmentReport,
      shows: 'Appointments by group',
    },
    appointmentReport,
  ),
  figures(
    {
      path: '/analytics/revenue',
      summary: 'Sum revenue',
      description:
        'Of invoices by their issue date, without drafts and void ones, paid or not; a refund changes nothing of it. Staff, services and taxes by lines, whose parts of discounts are in their amounts. Days and months without any are there.',
      query: reportParameters(REVENUE_BY),
      schema: RevenueReport,
      shows: 'Revenue by group',
    },
    revenueReport,
  ),
  figures(
    {
      path: '/analytics/clients',
      summary: 'Count clients who came',
      description:
        'Whose first appointment anywhere in the company lies in the span is NEW, whoever had one before it RETURNING; appointments without a client are the group without a key. Cancelled ones count for nobody.',
      query: reportParameters([]),
      schema: ClientReport,
      shows: 'Clients, new and returning',
    },
    clientReport,
  ),
]);
