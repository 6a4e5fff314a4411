import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import { Pace } from '../core/pace.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { AppContext } from '../http/context.ts';
import type { RouteModule } from '../http/route.ts';
import { sendJson } from '../http/send.ts';
import { refuseParameters } from '../resources/change.ts';

/** Longest wait for one dependency, ms. */
const DEADLINE = 2000;

/** For how long one look answers everybody, ms: nobody makes a dependency late by asking whether it is. */
const FRESH = 1000;
/** A look that takes longer belongs to a request that is gone, ms. */
const LOST = DEADLINE + 500;

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

/** What one look at the dependencies found, and when. */
type Look = { at: number; postgres: Part; redis: Part; rooms: Part };

// State of the isolate: plain data.
let last: Look | null = null;
/** Since when somebody looks; 0 when nobody does. */
let looking = 0;

/** So many answers a minute at once, and in a burst; whoever asks for more is one who asks in a loop, and waits a second. */
const pace = new Pace(20 * 60, 100);
const LOOPING = 1000;
/** Beyond so many that wait, waiting would cost more than it spares. */
const MOST_WAITING = 500;
let waiting = 0;

/** A loop that is answered at once asks at once again, and takes the isolate from those who work. */
async function unhurried(now: number): Promise<void> {
  if (pace.readyAt(now) <= now) return pace.spend(1, now);
  if (waiting >= MOST_WAITING) return;
  waiting += 1;
  await new Promise((resolve) => setTimeout(resolve, LOOPING));
  waiting -= 1;
}

/** Ready when Postgres answers; without Redis or rooms the product is slower, not down. */
async function ready(c: AppContext): Promise<Response> {
  refuseParameters(c);
  const { ctx, deps } = c.env;
  await unhurried(ctx.now());
  const { postgres, redis, rooms } = await lookOnce(ctx, deps);
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

/** The look of the last second, or a new one; who comes while somebody looks waits for it on a timer of their own. */
async function lookOnce(ctx: Ctx, deps: Deps): Promise<Look> {
  for (;;) {
    const now = ctx.now();
    if (last !== null && Math.abs(now - last.at) < FRESH) return last;
    if (looking === 0 || Math.abs(now - looking) > LOST) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const mine = ctx.now();
  looking = mine;
  try {
    const found = await look(ctx, deps);
    last = { at: ctx.now(), ...found };
    return last;
  } finally {
    if (looking === mine) looking = 0;
  }
}

async function look(ctx: Ctx, deps: Deps): Promise<Omit<Look, 'at'>> {
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
];
