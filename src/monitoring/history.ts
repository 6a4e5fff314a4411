import * as z from 'zod';
import type { Counts } from '../core/counts.ts';
import { lazy } from '../core/lazy.ts';
import { METRICS } from '../data/monitor.ts';
import type { AppContext } from '../http/context.ts';
import { routesBelow } from '../http/route.ts';
import { instant } from '../http/schemas.ts';
import { sendJson } from '../http/send.ts';
import { admitted, headOf, reached } from '../resources/admitted.ts';
import { askMonitor } from './ask-monitor.ts';
import { HISTORY, historyAsked } from './asked.ts';
import { floor } from './count-store.ts';
import { figuresOf } from './figures.ts';

const History = lazy(() =>
  z
    .object({
      metric: z.enum(METRICS),
      from: instant('Where the first point begins.'),
      to: instant('Where the last one ends.'),
      stepSeconds: z.int().describe('How long a point is.'),
      points: z
        .array(z.object({ at: instant('Where it begins.'), value: z.number().nullable() }))
        .describe('In order and without gaps; `value` is null where nothing is known, or was nothing to measure.'),
    })
    .meta({
      id: 'MetricHistory',
      examples: [
        {
          metric: 'cacheHitRate',
          from: '2026-03-02T09:28:00.000Z',
          to: '2026-03-02T09:30:00.000Z',
          stepSeconds: 60,
          points: [
            { at: '2026-03-02T09:28:00.000Z', value: 87.5 },
            { at: '2026-03-02T09:29:00.000Z', value: null },
          ],
        },
      ],
    }),
);

async function history(c: AppContext): Promise<Response> {
  const { ctx, deps } = c.env;
  const terms = { permission: 'admin', weight: 1 };
  const { min, query } = await admitted(c, terms, () => historyAsked(c, ctx.now()));
  const { revision } = await headOf(c, null);
  reached(revision, min);
  const { metric, step } = query;
  const [from, to] = [floor(query.from, step), floor(query.to - 1, step) + step];
  const known = await askMonitor(c, (monitor) => monitor.history(from, to, step));
  const blocks = new Map<number, Counts>(known.map(({ at, counts }) => [at, counts]));
  const points = Array.from({ length: Math.round((to - from) / step) }, (_, index) => {
    const at = from + index * step;
    const counts = blocks.get(at);
    const span = Math.min(step, Math.max(1, ctx.now() - at));
    const value = counts === undefined ? null : figuresOf(counts, span, deps.settings.databaseMetrics)[metric];
    return { at: new Date(at).toISOString(), value };
  });
  const ends = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const body = { metric, ...ends, stepSeconds: step / 1000, points };
  return sendJson(c, 200, body, { revision, headers: { 'Cache-Control': 'no-store' } });
}

export const historyRoutes = routesBelow(['health'], () => [
  {
    method: 'get',
    path: '/health/history',
    tag: 'Health',
    summary: 'How a figure of the deployment went',
    description: 'Of all isolates together: by minutes for 48 hours, by hours for 90 days.',
    permission: 'admin',
    query: HISTORY,
    success: { status: 200, schema: History, description: 'The points' },
    errors: [],
    handler: history,
  },
]);
