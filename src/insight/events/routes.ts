import { eventOf } from '../../data/event.ts';
import { type RouteModule, routesBelow } from '../../http/route.ts';
import { LOG_QUERY, readLog, WAIT } from './log-query.ts';
import { eventPage, type Logged } from './schema.ts';

export const eventRoutes = (logged: () => readonly Logged[]): RouteModule =>
  routesBelow(['events'], () => [
    {
      method: 'get',
      path: '/events',
      tag: 'Events',
      summary: 'The company log after a position',
      description:
        'Ask again after the revision of the last one. With `wait` an answer without changes waits for one. What the caller may not see is left out, so revisions have gaps.',
      permission: 'events:read',
      query: { ...LOG_QUERY, ...WAIT },
      success: {
        status: 200,
        schema: eventPage(logged()),
        description: 'Events in order; those the caller may not see are left out',
      },
      errors: ['epoch_changed', 'window_exceeded'],
      handler: readLog({
        name: 'events',
        permission: 'events:read',
        parameters: ['wait'],
        show: (change, principal, c) => eventOf(c.env.deps.registry, principal, change),
      }),
    },
  ]);
