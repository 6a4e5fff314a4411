import * as z from 'zod';
import type { RouteModule } from '../../http/route.ts';
import { LOG_QUERY, readLog } from './log-query.ts';
import { eventOf } from './view.ts';

const EventView = z
  .object({
    revision: z.int(),
    id: z.string(),
    type: z.string().describe('`client.created`, `client.archived` …'),
    topic: z.string(),
    entityId: z.string(),
    at: z.iso.datetime(),
    actor: z.object({ type: z.enum(['USER', 'API_KEY', 'SYSTEM', 'SQL']), id: z.string().optional() }),
    data: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Event' });

const EventPage = z
  .object({ data: z.array(EventView), head: z.int().describe('The newest revision.'), epoch: z.string() })
  .meta({ id: 'EventPage' });

export const eventRoutes: RouteModule = [
  {
    method: 'get',
    path: '/events',
    tag: 'Events',
    summary: 'The company log after a position',
    permission: 'events:read',
    query: LOG_QUERY,
    success: {
      status: 200,
      schema: EventPage,
      description: 'Events in order; those the caller may not see are left out',
    },
    errors: ['epoch_changed', 'window_exceeded'],
    handler: readLog({
      name: 'events',
      permission: 'events:read',
      parameters: [],
      show: (change, principal, c) => eventOf(c.env.doors.registry, (permission) => principal.may(permission), change),
    }),
  },
];
