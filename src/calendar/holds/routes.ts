import { sql } from 'drizzle-orm';
import { routesBelow } from '../../http/route.ts';
import { change } from '../../resources/change.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, rowOf } from '../../resources/row-sql.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { createOf } from '../../resources/verbs.ts';
import { BOOKING, liberties, maybe, requestOf } from '../asked.ts';
import { planned, storing, type Wish } from '../plan.ts';
import { startOf } from '../wanted.ts';
import { hold } from './resource.ts';

/** Keeps a time for five minutes, by the same plan and the same rule as a booking. */
const createHold = createOf(hold, {
  alsoNeeds: liberties,
  async plan({ companyId, id, body }, look, c): Promise<Plan> {
    const services = body.services ?? [{ serviceId: body.serviceId ?? '' }];
    const wish: Wish = { companyId, request: requestOf({ ...body, services }), ...startOf(body) };
    const now = c.env.ctx.now();
    const booking = await planned(look, now, wish, false);
    return storing(hold, look, { now, wish, booking }, { id, client_id: maybe('clnt', body.clientId) ?? null });
  },
});

export const holdRoutes = routesBelow(['holds'], () => [
  ...standardRoutes(hold, {
    only: ['create', 'read'],
    create: {
      summary: 'Keep a time for a booking to come',
      description:
        'For five minutes nobody else can have it. Book it by its `holdId`, once; it is never free in between. It takes the body of an appointment, or `serviceId` alone.',
      errors: BOOKING,
      handler: createHold,
    },
    read: { description: 'Until it was booked, released or tidied away.' },
  }),
  {
    method: 'delete',
    path: '/holds/:id',
    tag: hold.tag,
    summary: 'Release a hold',
    permission: hold.writePermission,
    success: { status: 204, schema: null, description: 'It is gone' },
    errors: ['not_found', 'version_mismatch'],
    handler: change({
      ...{ resource: hold, name: 'holds.delete', target: 'path', status: 204 },
      statements: (input) => [expectVersion(hold, input), sql`delete from ${hold.table} where ${rowOf(hold, input)}`],
    }),
  },
]);
