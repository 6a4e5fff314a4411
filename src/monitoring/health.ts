import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { AppContext } from '../http/context.ts';
import { routesBelow } from '../http/route.ts';
import { sendJson } from '../http/send.ts';
import { refuseParameters } from '../resources/read-body.ts';
import { SharedLook, unhurried } from './shared-look.ts';

/** Longest wait for one dependency, ms. */
const DEADLINE = 2000;

type Part = { status: 'up' | 'down'; ms: number; breaker?: string; fault?: string };

const PartView = lazy(() =>
  z.object({
    status: z.enum(['up', 'down']),
    ms: z.int().describe('How long it took to answer.'),
    breaker: z
      .string()
      .optional()
      .meta({ description: 'open: it is not asked for a while.', examples: ['closed'] }),
    fault: z
      .string()
      .optional()
      .meta({
        description: 'Of Redis: `unreachable`, or `refuses` when it answers and takes no writes.',
        examples: ['refuses'],
      }),
  }),
);
const Ready = lazy(() =>
  z
    .object({
      status: z.enum(['ready', 'degraded', 'down']),
      postgres: PartView(),
      redis: PartView(),
      rooms: PartView(),
    })
    .meta({ id: 'Ready' }),
);
const Live = lazy(() => z.object({ status: z.literal('live') }).meta({ id: 'Live' }));

async function probe(now: () => number, work: () => Promise<boolean>): Promise<Part> {
  const started = now();
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), DEADLINE));
  const up = await Promise.race([work().catch(() => false), late]);
  return { status: up ? 'up' : 'down', ms: now() - started };
}

/** What one look at the dependencies found. */
type Look = { postgres: Part; redis: Part; rooms: Part };

// State of the isolate: plain data.
const looks = new SharedLook<Look>(DEADLINE + 500);

/** Ready when Postgres answers; without Redis or rooms the product is slower, not down. */
async function ready(c: AppContext): Promise<Response> {
  refuseParameters(c);
  const { ctx, deps } = c.env;
  await unhurried(ctx.now());
  const { postgres, redis, rooms } = await looks.take('ready', ctx.now, () => look(ctx, deps));
  const status =
    postgres.status === 'down' ? 'down' : redis.status === 'up' && rooms.status === 'up' ? 'ready' : 'degraded';
  const body = {
    status,
    postgres: { ...postgres, breaker: deps.read.breaker.state(ctx.now()) },
    redis: {
      ...redis,
      breaker: deps.redis.breaker.state(ctx.now()),
      ...(deps.redis.fault !== null && { fault: deps.redis.fault }),
    },
    rooms,
  };
  return sendJson(c, status === 'down' ? 503 : 200, body, { headers: { 'Cache-Control': 'no-store' } });
}

async function look(ctx: Ctx, deps: Deps): Promise<Look> {
  const { now } = ctx;
  const [postgres, redis, rooms] = await Promise.all([
    probe(now, async () => (await deps.jobs.batch(ctx, { name: 'ready' }, [sql`select 1`])).length === 1),
    probe(now, () => takesWrites(ctx, deps)),
    probe(now, () => pingRoom(deps)),
  ]);
  return { postgres, redis, rooms };
}

/** A Redis that only reads is of no use here: see RedisStore. */
async function takesWrites(ctx: Ctx, { redis }: Deps): Promise<boolean> {
  const written = await redis.trip(
    ctx,
    (p) => p.set(redis.key('ready'), 1, { ex: 60 }),
    ([answer]) => answer === 'OK',
  );
  return written === true;
}

async function pingRoom(deps: Deps): Promise<boolean> {
  await deps.rooms('health').settle('health', 'health');
  return true;
}

export const healthRoutes = routesBelow(['health'], () => [
  {
    method: 'get',
    path: '/health/live',
    tag: 'Health',
    summary: 'Whether the Worker runs',
    description: 'Touches nothing else.',
    anonymous: true,
    awaitsDatabase: false,
    success: { status: 200, schema: Live, description: 'It runs' },
    errors: [],
    async handler(c) {
      refuseParameters(c);
      await unhurried(c.env.ctx.now());
      return sendJson(c, 200, { status: 'live' }, { headers: { 'Cache-Control': 'no-store' } });
    },
  },
  {
    method: 'get',
    path: '/health/ready',
    tag: 'Health',
    summary: 'Whether its dependencies answer',
    description: 'Without Redis or rooms the product is slower (`degraded`), without Postgres it is `down`.',
    anonymous: true,
    awaitsDatabase: false,
    success: { status: 200, schema: Ready, description: 'It can serve' },
    others: { 503: { schema: Ready, description: 'It cannot: Postgres does not answer' } },
    errors: [],
    handler: ready,
  },
]);
