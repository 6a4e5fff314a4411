import { sql } from 'drizzle-orm';
import * as z from 'zod';
import type { Doors } from '../data/doors.ts';
import type { AppContext } from '../http/context.ts';
import type { RouteModule } from '../http/route.ts';
import { sendJson } from '../http/send.ts';
import { refuseParameters } from '../http/write.ts';

/** Longest wait for one dependency, ms. */
const DEADLINE = 2000;

type Part = { status: 'up' | 'down'; ms: number; breaker?: string };

const PartView = z.object({
  status: z.enum(['up', 'down']),
  ms: z.int().describe('How long it took to answer.'),
  breaker: z
    .string()
    .optional()
    .meta({ description: 'open: it is not asked for a while.', examples: ['closed'] }),
});
const Ready = z
  .object({ status: z.enum(['ready', 'degraded', 'down']), postgres: PartView, redis: PartView, rooms: PartView })
  .meta({ id: 'Ready' });
const Live = z.object({ status: z.literal('live') }).meta({ id: 'Live' });

async function probe(now: () => number, work: () => Promise<boolean>): Promise<Part> {
  const started = now();
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), DEADLINE));
  const up = await Promise.race([work().catch(() => false), late]);
  return { status: up ? 'up' : 'down', ms: now() - started };
}

/** Ready when Postgres answers; without Redis or rooms the product is slower, not down. */
async function ready(c: AppContext): Promise<Response> {
  refuseParameters(c);
  const { ctx, doors } = c.env;
  const now = ctx.now;
  const [postgres, redis, rooms] = await Promise.all([
    probe(now, async () => (await doors.jobs.batch(ctx, 'ready', [doors.jobs.db.execute(sql`select 1`)])).length === 1),
    probe(
      now,
      async () =>
        (await doors.redis.trip(
          ctx,
          (p) => p.ping(),
          ([pong]) => pong === 'PONG',
        )) === true,
    ),
    probe(now, () => pingRoom(doors)),
  ]);
  const status =
    postgres.status === 'down' ? 'down' : redis.status === 'up' && rooms.status === 'up' ? 'ready' : 'degraded';
  const body = {
    status,
    postgres: { ...postgres, breaker: doors.read.breaker.state(now()) },
    redis: { ...redis, breaker: doors.redis.breaker.state(now()) },
    rooms,
  };
  return sendJson(c, status === 'down' ? 503 : 200, body, { headers: { 'Cache-Control': 'no-store' } });
}

async function pingRoom(doors: Doors): Promise<boolean> {
  await doors.rooms('health').settle('health', 'health');
  return true;
}

export const healthRoutes: RouteModule = [
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
    handler(c) {
      refuseParameters(c);
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
];
