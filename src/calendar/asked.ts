import { sql } from 'drizzle-orm';
import type { ErrorCode } from '../core/errors.ts';
import { type Prefix, uuidOf } from '../core/id.ts';
import type { ConstraintMeaning } from '../data/postgres-errors.ts';
import type { BookingRequest } from './booking.ts';

/** What planning and storing the time of a booking may be refused for. */
export const MOVING: readonly ErrorCode[] = [
  ...(['unknown_reference', 'not_offered', 'nonexistent_local_time', 'ambiguous_local_time'] as const),
  ...(['slot_taken', 'outside_working_hours'] as const),
];

/** And what a new one may be. */
export const BOOKING: readonly ErrorCode[] = [...MOVING, 'erased'];

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

export const maybe = (prefix: Prefix, id: string | null | undefined) =>
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

/** What the checks of bookings and holds mean (migrations/0043_calendar.sql). */
export const fitting = (table: string): Record<string, ConstraintMeaning> => ({
  [`${table}_services`]: {
    ...{ code: 'invalid_body', pointer: '/services' },
    detail: 'Every service must begin within 24 hours of the first.',
  },
  [`${table}_resources`]: {
    ...{ code: 'invalid_body', pointer: '/resources' },
    detail: 'At most 20 resources are occupied, each once.',
  },
});
