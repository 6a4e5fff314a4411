import { sql } from 'drizzle-orm';
import type { Row } from '../../data/log.ts';
import { change } from '../../resources/change.ts';
import type { RowOf } from '../../resources/fields.ts';
import { notFound } from '../../resources/list.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, rowOf, setRow } from '../../resources/row-sql.ts';
import { ignoringHours, liberties, maybe } from '../asked.ts';
import { type Booked, planMove, requestOfMove } from '../move.ts';
import { lookAt, offsetsAt, orSuggest, suggesting, type Wish, withBranch } from '../plan.ts';
import { isToldBy, startOf } from '../wanted.ts';
import { appointment as resource } from './resource.ts';
import { AppointmentReschedule } from './schema.ts';
import type { appointments } from './table.ts';

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
    const { companyId, id, body } = input;
    const found = await look([
      sql<{
        row: AppointmentRow & Row;
      }>`select ${resource.row} as row from ${resource.table} where ${rowOf(resource, input)}`,
    ]);
    const row = found.rows[0][0]?.row;
    if (row === undefined) throw notFound(resource);
    const booked: Booked = { branchId: row.branch_id, parts: row.services, resources: row.resources };
    const stays = { start: { startsAt: new Date(row.starts_at).toISOString() }, zone: null };
    const told = isToldBy(body) ? startOf(body) : stays;
    const move = {
      start: told.start,
      staffId: maybe('stf', body.staffId),
      ignoreWorkingHours: body.ignoreWorkingHours,
    };
    const wish: Wish = { companyId, request: requestOfMove(booked, move), ...told };
    const catalogue = withBranch(await lookAt(look, wish), wish.request);
    const { offsets, wanted } = await offsetsAt(catalogue.branch, wish);
    const now = c.env.ctx.now();
    const moved = await orSuggest(look, now, wish, offsets, (ignoring) =>
      planMove(catalogue, booked, { ...move, ...ignoring }, offsets, wanted),
    );
    const assignment = sql`services = ${JSON.stringify(moved.parts)}::jsonb, resources = ${JSON.stringify(moved.resources)}::jsonb,
      starts_at = ${moved.startsAt}::timestamptz, time_zone = ${moved.timeZone}, allow_overlap = ${body.allowOverlap ?? false}::boolean`;
    return {
      statements: [
        expectVersion(resource, input),
        ...ignoringHours(body.ignoreWorkingHours),
        setRow(resource, input, assignment),
      ],
      // What is moved was read first.
      guard: { since: found.revision, entities: { ...moved.guard.entities, appointment: [id] } },
      explain: (error) => suggesting(error, look, now, wish, moved),
    };
  },
});
