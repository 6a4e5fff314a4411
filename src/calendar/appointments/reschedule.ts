import { type SQL, sql } from 'drizzle-orm';
import { minuteOf } from '../../core/civil.ts';
import { AppError } from '../../core/errors.ts';
import type { Row } from '../../data/log.ts';
import { change } from '../../resources/change.ts';
import type { RowOf } from '../../resources/fields.ts';
import { notFound } from '../../resources/list.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, rowOf, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { ignoringHours, liberties, maybe } from '../asked.ts';
import { adoptClock } from '../clock.ts';
import { lookAt } from '../look.ts';
import { type Booked, planMove, requestOfMove } from '../move.ts';
import { offsetsAt, orSuggest, suggesting, type Wish, withBranch } from '../plan.ts';
import { isToldBy, startOf } from '../wanted.ts';
import { appointment as resource } from './resource.ts';
import { AppointmentReschedule } from './schema.ts';
import { type appointments, OVER } from './table.ts';

type AppointmentRow = RowOf<typeof appointments>;

/** Moves an appointment to another time or to somebody else, also onto part of itself. What was booked stays as it was. */
export const rescheduleAppointment = change({
  resource,
  name: 'appointments.reschedule',
  body: AppointmentReschedule,
  target: 'path',
  status: 200,
  alsoNeeds: liberties,
  async plan(input, look, c): Promise<Plan> {
    const { companyId, body } = input;
    const found = await look([
      sql<{
        row: AppointmentRow & Row;
      }>`select ${resource.row} as row from ${resource.table} where ${rowOf(resource, input)}`,
    ]);
    const row = found.rows[0][0]?.row;
    if (row === undefined) throw notFound(resource);
    const startsAt = new Date(row.starts_at).toISOString();
    const booked: Booked = {
      ...{ branchId: row.branch_id, parts: row.services, resources: row.resources, start: minuteOf(startsAt) },
    };
    const stays = { start: { startsAt }, zone: null };
    const told = isToldBy(body) ? startOf(body) : stays;
    const isOver = OVER.has(row.status);
    const move = {
      start: told.start,
      staffId: maybe('stf', body.staffId),
      // What is over is refused for that, once all else is right.
      ignoreWorkingHours: isOver || body.ignoreWorkingHours,
    };
    const wish: Wish = { companyId, request: requestOfMove(booked, move), ...told };
    const catalogue = withBranch(await lookAt(look, wish), wish.request);
    const { offsets, wanted } = offsetsAt(catalogue.branch, wish);
    const now = c.env.ctx.now();
    const moved = await orSuggest(look, now, wish, offsets, (ignoring) =>
      planMove(catalogue, booked, { ...move, ...ignoring }, offsets, wanted),
    );
    if (isOver) throw new AppError('appointment_closed', `It is ${row.status}: its time is what it was.`);
    const assignment = sql`services = ${JSON.stringify(moved.parts)}::jsonb, resources = ${JSON.stringify(moved.resources)}::jsonb,
      starts_at = ${moved.startsAt}::timestamptz, time_zone = ${moved.timeZone}, allow_overlap = ${body.allowOverlap ?? false}::boolean`;
    return {
      statements: [
        expectVersion(resource, input),
        stillAs(input, row, isToldBy(body)),
        adoptClock(moved.offsets),
        ...ignoringHours(body.ignoreWorkingHours),
        setRow(resource, input, assignment),
      ],
      // What is moved was read first.
      guard: { ...moved.guard, since: Math.min(found.revision, moved.guard.since) },
      explain: (error) => suggesting(error, look, now, wish, moved),
    };
  },
});

/**
 * Outdates the plan if what it rests on of the appointment has changed. Where it is in time is not among that, unless it stays
 * there: of two that move it at once the second moves it on.
 */
const stillAs = (input: WriteInput<unknown>, row: AppointmentRow & Row, moves: boolean): SQL =>
  sql`select app.expect_still(exists (select from ${resource.table} where ${rowOf(resource, input)}
    and branch_id = ${row.branch_id}::uuid and services = ${JSON.stringify(row.services)}::jsonb
    and jsonb_path_query_array(resources, '$[*].kind') = ${JSON.stringify(row.resources.map(({ kind }) => kind))}::jsonb
    and (status in ('COMPLETED', 'CANCELLED', 'NO_SHOW')) = ${OVER.has(row.status)}::boolean
    and (${moves}::boolean or starts_at = ${row.starts_at}::timestamptz)))`;
