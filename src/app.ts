import { HonoBase as Hono } from 'hono/hono-base';
import { apiKeyRoutes } from './account/api-keys/routes.ts';
import { companyRoutes } from './account/company/routes.ts';
import { identify, jwks, signInRoutes } from './account/sign-in/routes.ts';
import { userRoutes } from './account/users/routes.ts';
import { invoiceRoutes } from './billing/invoices/routes.ts';
import { paymentRoutes } from './billing/payments/routes.ts';
import { appointmentRoutes } from './calendar/appointments/routes.ts';
import { availabilityRoutes } from './calendar/availability-routes.ts';
import { branchRoutes } from './calendar/branches.ts';
import { feedRoutes } from './calendar/feeds/routes.ts';
import { holdRoutes } from './calendar/holds/routes.ts';
import { seriesRoutes } from './calendar/series/routes.ts';
import { branch } from './catalog/branches/resource.ts';
import { resourceRoutes } from './catalog/resources/routes.ts';
import { serviceRoutes } from './catalog/services/routes.ts';
import { staffMember } from './catalog/staff/resource.ts';
import { staffRoutes } from './catalog/staff/routes.ts';
import { timeOffRoutes } from './catalog/time-off/routes.ts';
import { AppError } from './core/errors.ts';
import { lazy } from './core/lazy.ts';
import type { AppContext, AppEnv } from './http/context.ts';
import { development } from './http/fault.ts';
import { maskedPath, withoutSecret } from './http/log-line.ts';
import { PathRouter } from './http/path-router.ts';
import { problem } from './http/problem.ts';
import { mount, put, type RouteModule, type RouteSpec, type Routes } from './http/route.ts';
import { preflight } from './http/send.ts';
import { analyticsRoutes } from './insight/analytics/routes.ts';
import { auditRoutes } from './insight/audit/routes.ts';
import { eventRoutes } from './insight/events/routes.ts';
import { importRoutes } from './insight/imports/routes.ts';
import { openSocket, realtimeRoutes, SOCKET_PATH } from './insight/realtime/routes.ts';
import { healthRoutes } from './monitoring/health.ts';
import { historyRoutes } from './monitoring/history.ts';
import { metricsPage } from './monitoring/open-metrics.ts';
import { performanceRoutes } from './monitoring/performance.ts';
import { mountPages } from './pages/routes.ts';
import { clientRoutes } from './people/clients/routes.ts';
import { importers, logged } from './registry.ts';
import { alertRoutes } from './webhooks/alerts/routes.ts';
import { webhookRoutes } from './webhooks/endpoints/routes.ts';

export const BASE = '/api/v1';

const health: readonly RouteModule[] = [healthRoutes, performanceRoutes(identify)];

/** One line per resource. */
export const modules: readonly RouteModule[] = [
  signInRoutes,
  companyRoutes,
  userRoutes,
  apiKeyRoutes,
  branchRoutes,
  staffRoutes,
  serviceRoutes,
  resourceRoutes,
  timeOffRoutes,
  availabilityRoutes,
  clientRoutes,
  invoiceRoutes,
  paymentRoutes,
  // Before the appointments by id: 'series' is none.
  seriesRoutes,
  appointmentRoutes,
  holdRoutes,
  feedRoutes(BASE, { staff: staffMember, branch }),
  importRoutes(importers),
  analyticsRoutes,
  eventRoutes(logged),
  auditRoutes(logged),
  realtimeRoutes(BASE),
  webhookRoutes(logged),
  alertRoutes,
  ...health,
  historyRoutes,
];

/** All routes, in the order of those lines. */
export const everyRoute = (): readonly RouteSpec[] => modules.flatMap(({ routes }) => routes());

/** The HTTP surface: what happens to a request, in order. */
export function makeApp(): Hono<AppEnv> {
  const router: Routes = new PathRouter();
  const app = new Hono<AppEnv>({ router });
  app.on('OPTIONS', '*', (c) => preflight(c, allowed(app, c) ?? 'GET, HEAD, POST, PATCH, PUT, DELETE'));
  put(router, 'GET', '/.well-known/jwks.json', jwks);
  put(router, 'GET', `${BASE}${SOCKET_PATH}`, openSocket(identify));
  const metrics = metricsPage(identify);
  for (const path of ['/metrics', `${BASE}/metrics`]) put(router, 'GET', path, metrics);
  mountPages(router, BASE);
  mount(router, BASE, identify, modules); // authentication, then each route's own: admission, syntax, permission, rules
  // Also where probes and balancers look by themselves.
  mount(router, '', identify, health);
  app.notFound((c) => {
    c.env.ctx.note('path', development ? withoutSecret(c.req.path) : maskedPath(c.req.path, words()));
    return problem(c, missing(app, c));
  });
  app.onError((error, c) => problem(c as AppContext, error));
  return app;
}

/** What our own paths are made of; the rest of a path that leads nowhere may be anything. */
const words = lazy(() => new Set(everyRoute().flatMap(({ path }) => `${BASE}${path}`.split('/'))));

/** The methods some route has for this path (RFC 9110, 15.5.6), or null when no route knows it. */
function allowed(app: Hono<AppEnv>, c: AppContext): string | null {
  const { path } = c.req;
  const matched = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => {
    // Middleware matches every path; a route is what matches besides.
    const [handlers] = app.router.match(method, path);
    const patterns = handlers.map(([[, route]]) => route.path).filter((pattern) => !['*', '/*'].includes(pattern));
    return { method, patterns };
  });
  // A path that is a route's own is no id of another.
  const own = matched.filter(({ patterns }) => patterns.includes(path));
  const methods = (own.length > 0 ? own : matched.filter(({ patterns }) => patterns.length > 0)).map((m) => m.method);
  if (methods.length === 0) return null;
  if (methods[0] === 'GET') methods.splice(1, 0, 'HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}

function missing(app: Hono<AppEnv>, c: AppContext): AppError {
  const allow = allowed(app, c);
  if (allow === null) {
    const isBeside = !c.req.path.startsWith(`${BASE}/`) || c.req.path.startsWith(`${BASE}${BASE}/`);
    return new AppError('not_found', `There is nothing at this path.${isBeside ? ` The API is below ${BASE}.` : ''}`);
  }
  return new AppError('method_not_allowed', `Allowed here: ${allow}.`, { extra: { allow } });
}
