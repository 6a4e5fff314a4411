import { type SQL, sql } from 'drizzle-orm';
import { change } from '../../resources/change.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, setRow } from '../../resources/row-sql.ts';
import { createOf, restoreOf } from '../../resources/verbs.ts';
import { liberties, requestOf } from '../asked.ts';
import { planned, storing, type Wish } from '../plan.ts';
import { startOf } from '../wanted.ts';
import { newAppointment } from './new.ts';
import { appointment as resource } from './resource.ts';
import { AppointmentStatusChange } from './schema.ts';
import { FREED } from './table.ts';

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
    ...(input.body.status === 'CONFIRMED' ? [judgeReturn(input, [...FREED], '/status')] : []),
    expectVersion(resource, input),
    setRow(resource, input, sql`status = ${input.body.status}, status_reason = ${input.body.reason ?? null}`),
  ],
});

/** One that was cancelled is as good as confirmed again, if it could be booked. */
export const restoreAppointment = restoreOf(resource, { judge: (input) => judgeReturn(input, ['CANCELLED'], '') });

/** Whether whoever is to do it still works there, of one with such a status that is brought back. */
const judgeReturn = ({ id }: { id: string }, from: readonly unknown[], pointer: string): SQL =>
  sql`select app.judge_return(${id}::uuid, ${sql.param(from)}::text[], ${pointer})`;
