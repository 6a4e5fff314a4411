import { sql } from 'drizzle-orm';
import { change } from '../../resources/change.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, setRow } from '../../resources/row-sql.ts';
import { createOf } from '../../resources/verbs.ts';
import { liberties, requestOf } from '../asked.ts';
import { planned, storing, type Wish } from '../plan.ts';
import { startOf } from '../wanted.ts';
import { newAppointment } from './new.ts';
import { appointment as resource } from './resource.ts';
import { AppointmentStatusChange } from './schema.ts';

/** Books: planned from one snapshot, written while that holds. */
export const createAppointment = createOf(resource, {
  alsoNeeds: liberties,
  async plan({ companyId, principal, id, body }, look, c): Promise<Plan> {
    const wish: Wish = { companyId, request: requestOf(body), ...startOf(body) };
    const now = c.env.ctx.now();
    const booking = await planned(look, now, wish, body.allowOverlap === true || body.holdId !== undefined);
    return storing(resource, look, { now, wish, booking }, newAppointment(id, principal, body, booking));
  },
});

/** One step of the status; the same again is as good. */
export const changeStatus = change({
  resource,
  name: 'appointments.status',
  body: AppointmentStatusChange,
  target: 'path',
  status: 200,
  statements: (input) => [
    expectVersion(resource, input),
    setRow(resource, input, sql`status = ${input.body.status}, status_reason = ${input.body.reason ?? null}`),
  ],
});
