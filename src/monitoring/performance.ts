import * as z from 'zod';
import { at, outcomesOf } from '../core/counts.ts';
import { AppError, ERROR_CODES } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import { admit } from '../data/admit.ts';
import type { Sight } from '../data/monitor.ts';
import { callRoom } from '../data/rooms.ts';
import { admissionOf } from '../http/admission.ts';
import { type Authenticator, authenticated } from '../http/authenticate.ts';
import { type AppContext, claimantOf, principalOf } from '../http/context.ts';
import { type RouteModule, routesBelow } from '../http/route.ts';
import { instant } from '../http/schemas.ts';
import { sendJson } from '../http/send.ts';
import { headOf } from '../resources/admitted.ts';
import { WINDOW, windowAsked } from './asked.ts';
import { type Figures, figuresOf, STATUSES, statusOf } from './figures.ts';
import { SharedLook, unhurried } from './shared-look.ts';

/** Longest wait for the monitor, ms. */
const DEADLINE = 2000;

// State of the isolate: plain data.
const looks = new SharedLook<{ sight: Sight | null }>(DEADLINE + 500);

/** What a Worker cannot know, and why. */
const ABSENT = {
  memory: 'A Worker cannot see the memory of its process.',
  cpu: 'A Worker cannot see its CPU time: its clock stands still while it computes. The platform shows both.',
};
const NO_DATABASE = 'ENABLE_DB_METRICS is false.';
const NO_MONITOR = 'The monitor did not answer. Requests are served all the same.';

/** The brief's own three. */
const PUBLIC = ['averageResponseTime', 'cacheHitRate', 'errorRate'] as const;

const figure = (description: string) => z.number().nullable().describe(`${description} null: nothing was measured.`);
const shown = {
  averageResponseTime: () => figure('Mean time to an answer, ms; in production what was waited for, not computed.'),
  cacheHitRate: () => figure('Of cached routes, answers without Postgres, percent.'),
  errorRate: () => figure('Answers of 5xx, percent of all; `busy` is a refusal and none of them.'),
};
const Performance = lazy(() =>
  z
    .object({
      status: z
        .enum(STATUSES)
        .describe('By `errorRate`: degraded from 1, unhealthy from 5 percent. unknown: the monitor does not answer.'),
      metrics: z.object({
        averageResponseTime: shown.averageResponseTime(),
        cacheHitRate: shown.cacheHitRate(),
        errorRate: shown.errorRate(),
        totalRequests: figure('Requests answered.').optional(),
        p95ResponseTime: figure('ms, at most an eighth off.').optional(),
        p99ResponseTime: figure('ms, at most an eighth off.').optional(),
        requestsPerSecond: figure('Requests a second.').optional(),
        databaseQueriesPerSecond: figure('Calls of Postgres a second, each one transaction.').optional(),
        averageQueryTime: figure('Mean time of one, ms.').optional(),
        slowQueries: figure('Those of at least DB_SLOW_QUERY_THRESHOLD.').optional(),
        activeConnections: figure('WebSockets that are open now.').optional(),
      }),
      window: z.string().describe('As asked for.'),
      from: instant('Since when was counted: the window, or since there is anything.').optional(),
      sampledAt: instant('When.'),
      details: z
        .object({
          clientErrors: z.int().describe('Answers of 4xx.'),
          rooms: z.int().describe('Companies with somebody who listens.'),
          tiers: z.record(z.string(), z.int()).describe('Answers of cached routes, by where they came from.'),
          redis: z.object({ trips: z.int(), averageTime: figure('ms.') }),
          slow: z
            .array(z.object({ name: z.string(), count: z.int(), longest: z.number() }))
            .describe('Slow calls of Postgres by what they were for, the longest first; ms.'),
        })
        .optional()
        .describe('Whoever has the role ADMIN or the scope `admin` is shown these and all metrics.'),
      absent: z.record(z.string(), z.string()).optional().describe('What is not here, and why.'),
    })
    .meta({
      id: 'Performance',
      examples: [
        {
          status: 'healthy',
          metrics: { averageResponseTime: 156, cacheHitRate: 87, errorRate: 0.5 },
          window: '5m',
          from: '2026-03-02T09:25:00.000Z',
          sampledAt: '2026-03-02T09:30:00.000Z',
        },
      ],
    }),
);

/** Everything of all isolates in the last while; null where the monitor does not answer. */
async function sightOf(c: AppContext, { window, span }: { window: string; span: number }): Promise<Sight | null> {
  const { ctx, deps } = c.env;
  const look = async (): Promise<{ sight: Sight | null }> => {
    const slots = deps.tally.take();
    const sight = callRoom(ctx, () => deps.monitor().look(span, slots), DEADLINE);
    return { sight: await sight.catch(() => null) };
  };
  return (await looks.take(window, ctx.now, look)).sight;
}

/** Whether this caller sees all. Whoever cannot be vouched for now is shown what anybody is. @throws AppError 401 */
async function seesAll(c: AppContext): Promise<boolean> {
  try {
    const claimant = claimantOf(c);
    if (!claimant.proven) await claimant.prove?.();
    const admission = admissionOf(c, { permission: null, weight: 0 }, 'read');
    if (!(await admit(c.env, admission))) await headOf(c, admission);
    return principalOf(c).may('admin');
  } catch (error) {
    if (error instanceof AppError && [429, 503].includes(ERROR_CODES[error.code].status)) return false;
    throw error;
  }
}

async function show(c: AppContext, all: boolean): Promise<Response> {
  const { ctx, deps } = c.env;
  const asked = windowAsked(c);
  await unhurried(ctx.now());
  const sight = await sightOf(c, asked);
  const withDatabase = deps.settings.databaseMetrics;
  const figures = sight === null ? null : figuresAt(sight, withDatabase);
  const body = {
    status: figures === null ? 'unknown' : statusOf(figures.errorRate),
    metrics: all && figures !== null ? figures : pick(figures),
    window: asked.window,
    ...(sight !== null && { from: new Date(sight.from).toISOString() }),
    sampledAt: new Date(sight?.until ?? ctx.now()).toISOString(),
    ...(all && sight !== null && { details: detailsOf(sight) }),
    ...((all || sight === null) && {
      absent: {
        ...ABSENT,
        ...(!withDatabase && { database: NO_DATABASE }),
        ...(sight === null && { metrics: NO_MONITOR }),
      },
    }),
  };
  return sendJson(c, 200, body, { headers: { 'Cache-Control': 'no-store', Vary: 'Authorization' } });
}

function figuresAt({ counts, from, until, sockets }: Sight, withDatabase: boolean): Figures {
  return { ...figuresOf(counts, until - from, withDatabase), activeConnections: sockets };
}

const pick = (figures: Figures | null) => Object.fromEntries(PUBLIC.map((name) => [name, figures?.[name] ?? null]));

function detailsOf({ counts, slow, rooms }: Sight) {
  const trips = at(counts, 'redisTrips');
  return {
    clientErrors: at(counts, 'clientErrors'),
    rooms,
    tiers: outcomesOf(counts),
    redis: { trips, averageTime: trips === 0 ? null : Math.round((100 * at(counts, 'redisMs')) / trips) / 100 },
    slow,
  };
}

export const performanceRoutes = (identify: Authenticator): RouteModule =>
  routesBelow(['health'], () => {
    const known = authenticated(identify, true, async (c) => show(c, await seesAll(c)));
    return [
      {
        method: 'get',
        path: '/health/performance',
        tag: 'Health',
        summary: 'How fast and how well it answers',
        description:
          'Of the whole deployment, all isolates together, up to the last seconds. Anybody sees `status` and three figures; the role ADMIN or a key with `admin` sees all.',
        anonymous: true,
        awaitsDatabase: false,
        query: WINDOW,
        success: { status: 200, schema: Performance, description: 'What was measured' },
        errors: ['invalid_parameter', 'unauthenticated', 'token_expired', 'session_revoked'],
        handler: (c) => (c.req.header('Authorization') === undefined ? show(c, false) : known(c)),
      },
    ];
  });
