import { sql } from 'drizzle-orm';
import { parseId } from '../../core/id.ts';
import { change } from '../../resources/change.ts';
import { NOBODY } from '../../resources/fields.ts';
import type { Plan } from '../../resources/planned.ts';
import { expectVersion, insertRow, setRow } from '../../resources/row-sql.ts';
import { createOf } from '../../resources/verbs.ts';
import type { BookingRequest } from '../booking.ts';
import { planned, suggesting, type Wish } from '../plan.ts';
import { startOf } from '../wanted.ts';
import { appointment as resource } from './resource.ts';
import { AppointmentStatusChange } from './schema.ts';

type Liberties = { allowOverlap?: boolean | undefined; ignoreWorkingHours?: boolean | undefined };

/** Whoever books over others or outside of hours needs to be allowed to. */
export const liberties = ({ allowOverlap, ignoreWorkingHours }: Liberties): string | null =>
  allowOverlap === true || ignoreWorkingHours === true ? 'appointments:overlap' : null;

/** The database chooses resources that are there, unless told not to ask. */
export const ignoringHours = (ignores: boolean | undefined) =>
  ignores === true ? [sql`select set_config('app.ignore_hours', 'true', true)`] : [];

type Asked = {
  branchId: string;
  staffId?: string | undefined;
  services: readonly { serviceId: string; staffId?: string | undefined }[];
  resources?: readonly { kind: string; resourceId?: string | null | undefined }[] | undefined;
  ignoreWorkingHours?: boolean | undefined;
};

/** A malformed id takes the same way as an absent one, so nothing tells them apart. */
const uuidOf = (prefix: 'brch' | 'stf' | 'svc' | 'rsrc' | 'clnt', id: string): string => parseId(prefix, id) ?? NOBODY;
export const maybe = (prefix: 'stf' | 'rsrc' | 'clnt', id: string | null | undefined) =>
  id === undefined || id === null ? undefined : uuidOf(prefix, id);

/** What a body asks for, with the ids of the database. */
export const requestOf = (body: Asked): BookingRequest => ({
  branchId: uuidOf('brch', body.branchId),
  staffId: maybe('stf', body.staffId),
  services: body.services.map(({ serviceId, staffId }) => ({
    serviceId: uuidOf('svc', serviceId),
    staffId: maybe('stf', staffId),
  })),
  resources: body.resources?.map(({ kind, resourceId }) => ({ kind, resourceId: maybe('rsrc', resourceId) })),
  ignoreWorkingHours: body.ignoreWorkingHours,
});

/** Books: planned from one snapshot, written while that holds. */
export const createAppointment = createOf(resource, {
  alsoNeeds: liberties,
  async plan({ companyId, principal, id, body }, look, c): Promise<Plan> {
    const { start, zone } = startOf(body) ?? { start: { startsAt: '' }, zone: null };
    const wish: Wish = { companyId, request: requestOf(body), start, zone };
    const now = c.env.ctx.now();
    const booking = await planned(look, now, wish);
    const row = {
      id,
      branch_id: wish.request.branchId,
      client_id: maybe('clnt', body.clientId) ?? null,
      services: booking.parts,
      resources: booking.resources,
      starts_at: booking.startsAt,
      time_zone: booking.timeZone,
      status: body.status ?? 'PENDING',
      notes: body.notes ?? null,
      price: booking.price,
      source: principal.userId === null ? 'API' : 'STAFF',
      allow_overlap: body.allowOverlap ?? false,
      status_history: [],
      external_id: body.externalId ?? null,
    };
    return {
      statements: [...ignoringHours(body.ignoreWorkingHours), insertRow(resource, row)],
      guard: booking.guard,
      explain: (error) => suggesting(error, look, now, wish, booking),
    };
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
