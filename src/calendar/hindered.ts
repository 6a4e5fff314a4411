import { sql } from 'drizzle-orm';
import { minuteOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import type { Look } from '../resources/planned.ts';
import type { BookingPlan } from './booking.ts';
import type { Hindrance } from './presence.ts';

/** A booking that was planned, and who or what stands in its way. */
export type Hindered = { hindrance: Hindrance; booking: Pick<BookingPlan, 'parts' | 'resources' | 'startsAt'> };

/** As far as a booking may reach from its start, either way: a day's buffer, two days, a day's buffer. */
const DAYS = 4;

/** What each of them is refused with: that somebody or something is taken, and by which appointment, in one look for all. */
export async function takenBy(look: Look, companyId: string, all: readonly Hindered[]): Promise<AppError[]> {
  const wanted = all.flatMap(({ hindrance, booking }, i) => {
    if ('kind' in hindrance) return [];
    const subject = 'staffId' in hindrance ? hindrance.staffId : hindrance.resourceId;
    const { startsAt, parts, resources } = booking;
    return [{ i, subject, minute: minuteOf(startsAt), starts_at: startsAt, parts, resources }];
  });
  const by = new Map<number, string>();
  if (wanted.length > 0) {
    const { rows } = await look([
      // Minutes first, which an index finds: who overlaps is asked of those alone.
      sql<{ i: number; by: string }>`select x.i, k.by from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
          x (i int, subject uuid, minute int, starts_at timestamptz, parts jsonb, resources jsonb), lateral (
        select o.appointment_id as by from occupancies o, app.busy_subjects(x.starts_at, x.parts, x.resources) b
        where o.company_id = ${companyId}::uuid and o.subject_id = x.subject and not o.deliberate
          and o.begins between x.minute - ${DAYS * 1440}::int and x.minute + ${DAYS * 1440}::int
          and coalesce(b.staff_id, b.resource_id) = o.subject_id and o.busy && b.busy and o.appointment_id is not null
        order by o.appointment_id limit 1) k`,
    ]);
    for (const row of rows[0]) by.set(row.i, row.by);
  }
  return all.map(({ hindrance }, i) => refusal(hindrance, by.get(i)));
}

function refusal(hindrance: Hindrance, by: string | undefined): AppError {
  if ('kind' in hindrance)
    return new AppError('slot_taken', `No ${hindrance.kind} is free then.`, { extra: hindrance });
  const isStaff = 'staffId' in hindrance;
  const named = isStaff
    ? { staffId: formatId('stf', hindrance.staffId) }
    : { resourceId: formatId('rsrc', hindrance.resourceId) };
  const extra = { ...named, ...(by !== undefined && { conflictingAppointmentId: formatId('appt', by) }) };
  return new AppError('slot_taken', isStaff ? 'The staff member is booked then.' : 'The resource is taken then.', {
    extra,
  });
}
