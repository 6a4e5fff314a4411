import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { BOOKING, MOVING } from '../asked.ts';
import { MOST_BOOKED } from '../extent.ts';
import { bookMany } from './bulk.ts';
import { rescheduleAppointment } from './reschedule.ts';
import { appointment } from './resource.ts';
import { AppointmentReschedule, AppointmentStatusChange, AppointmentView } from './schema.ts';
import { changeStatus, createAppointment, restoreAppointment } from './verbs.ts';

const REPEATED = 'With an Idempotency-Key a repeat answers as the first did.';
const success = { status: 200, schema: AppointmentView, description: 'The appointment as it is now' };

export const appointmentRoutes = routesBelow(['appointments'], () => [
  ...standardRoutes(appointment, {
    only: ['list', 'create', 'bulk', 'export', 'read', 'update', 'archive', 'restore'],
    create: {
      summary: 'Book an appointment',
      description: `Services are done in a row. Staff, buffers included and processing not, and resources are never booked twice: 409 \`slot_taken\` names who or what is in the way, and suggests the nearest free starts. ${REPEATED}`,
      errors: [...BOOKING, 'external_id_taken', 'hold_expired'],
      handler: createAppointment,
    },
    bulk: {
      summary: 'Book many appointments',
      description: `Up to 500, of at most ${MOST_BOOKED} services and resources in all (more: 422, before anything is tried), planned together and stored in one transaction, all or those that can be. Of two that are in each other’s way the first is booked. What a refusal names it names here too, but for free starts. It costs as much as 5 requests.`,
      errors: [...BOOKING, 'external_id_taken', 'hold_expired'],
      handler: bookMany,
    },
    update: { errors: ['not_found', 'version_mismatch', 'external_id_taken', 'unknown_reference', 'erased'] },
    archive: {
      summary: 'Cancel an appointment',
      description:
        'As the status CANCELLED: it is in nobody’s way, out of sight in lists unless asked for, and readable by id.',
      errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    },
    restore: {
      summary: 'Bring a cancelled appointment back',
      description:
        'It is CONFIRMED, if its time is still free and, unless that is past, whoever is to do it still works there. One that is not cancelled stays as it is.',
      errors: ['not_found', 'version_mismatch', 'not_offered', 'slot_taken'],
      handler: restoreAppointment,
    },
  }),
  {
    method: 'post',
    path: '/appointments/:id/status',
    tag: appointment.tag,
    summary: 'Change the status of an appointment',
    description:
      'PENDING → CONFIRMED → CHECKED_IN → IN_PROGRESS → COMPLETED; CANCELLED and NO_SHOW free the time, and may be confirmed again, as `restore` does. `illegal_transition` names the `allowed` ones. The same again is as good.',
    permission: appointment.writePermission,
    body: AppointmentStatusChange,
    success,
    errors: ['not_found', 'version_mismatch', 'illegal_transition', 'not_offered', 'slot_taken', 'erased'],
    handler: changeStatus,
  },
  {
    method: 'post',
    path: '/appointments/:id/reschedule',
    tag: appointment.tag,
    summary: 'Move an appointment',
    description:
      'To another time, also onto part of itself, or to somebody else; not once it is COMPLETED, CANCELLED or NO_SHOW: `appointment_closed`. Its services stay as they were booked; for another time the branch and whoever does them must still be there. What it occupies is kept where that is free, else chosen anew.',
    permission: appointment.writePermission,
    body: AppointmentReschedule,
    success,
    errors: ['not_found', 'version_mismatch', ...MOVING, 'appointment_closed'],
    handler: rescheduleAppointment,
  },
]);
