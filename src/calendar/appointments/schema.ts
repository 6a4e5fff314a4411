import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { bodyOf, externalId, instant, notes, publicObject, reference, text } from '../../http/schemas.ts';
import { occupiedView, PART, partView, priceView } from '../shown.ts';
import { clockAlone, oneStart, startFields, workFields } from '../wanted.ts';
import { APPOINTMENT_STATUSES } from './table.ts';

export const BRANCH = 'brch_01h455vb4pex5vsknk084sn02q';
export const CLIENT = 'clnt_01h455vb4pex5vsknk084sn02q';

/** Deliberately beside the rules, which needs a permission of its own. */
export const liberties = () => ({
  allowOverlap: z
    .boolean()
    .optional()
    .describe('Over others on purpose: it stands outside the rule that nothing is booked twice.'),
  ignoreWorkingHours: z.boolean().optional().describe('Whatever hours and time off say.'),
});

/** For whom, and in words. */
export const described = () => ({
  clientId: reference().nullable().optional(),
  notes: notes().nullable().optional(),
  externalId: externalId().nullable().optional(),
});

/** How a new one begins. */
export const firstStatus = () => z.enum(['PENDING', 'CONFIRMED']).optional();

export const AppointmentCreate = lazy(() =>
  z
    .strictObject({
      ...workFields(),
      ...startFields(),
      ...described(),
      status: firstStatus(),
      holdId: reference().optional().describe('What has kept the time; it ends with this, once.'),
      ...liberties(),
    })
    .superRefine(oneStart)
    .meta({
      id: 'AppointmentCreate',
      examples: [
        {
          ...{ branchId: BRANCH, staffId: PART.staffId, clientId: CLIENT, services: [{ serviceId: PART.serviceId }] },
          localStart: '2026-11-01T09:30',
          status: 'CONFIRMED',
        },
      ],
    }),
);

/** JSON Merge Patch (RFC 7396). When and with whom is for `reschedule`, what has become of it for `status`. */
export const AppointmentPatch = bodyOf('AppointmentPatch', { notes: 'Comes with a dog.' }, described);

export const AppointmentStatusChange = bodyOf('AppointmentStatusChange', { status: 'CHECKED_IN' }, () => ({
  status: z.enum(APPOINTMENT_STATUSES),
  reason: text(500).nullable().optional().describe('Kept in the history.'),
}));

export const AppointmentReschedule = lazy(() =>
  z
    .strictObject({
      ...startFields(),
      staffId: reference().optional().describe('Who does what the first staff member was to do.'),
      ...liberties(),
    })
    .superRefine((body, ctx) => {
      if (body.staffId === undefined || (body.startsAt !== undefined && body.localStart !== undefined))
        oneStart(body, ctx);
      else clockAlone(body, ctx);
    })
    .meta({ id: 'AppointmentReschedule', examples: [{ startsAt: '2026-11-02T09:30:00.000Z' }] }),
);

const history = () =>
  z.object({
    status: z.enum(APPOINTMENT_STATUSES),
    at: instant('Since when.'),
    by: z.string().describe('Who said so: a user, a key, or what is neither.'),
    reason: z.string().nullable(),
  });

export const AppointmentView = publicObject(
  'Appointment',
  {
    id: 'appt_01h455vb4pex5vsknk084sn02q',
    branchId: BRANCH,
    staffId: PART.staffId,
    clientId: CLIENT,
    seriesId: null,
    services: [PART],
    resources: [{ kind: 'CHAIR', resourceId: 'rsrc_01h455vb4pex5vsknk084sn02q' }],
    startsAt: '2026-11-01T08:30:00.000Z',
    endsAt: '2026-11-01T09:15:00.000Z',
    timeZone: 'Europe/Vienna',
    localStart: '2026-11-01T09:30',
    status: 'CONFIRMED',
    statusReason: null,
    statusHistory: [
      { status: 'CONFIRMED', at: '2026-10-01T10:00:00.000Z', by: 'usr_01h455vb4pex5vsknk084sn02q', reason: null },
    ],
    notes: null,
    price: PART.price,
    source: 'STAFF',
    allowOverlap: false,
  },
  () => ({
    branchId: z.string().describe('Where.'),
    staffId: z.string().describe('Who does the first service.'),
    clientId: z.string().nullable().describe('For whom; null: nobody in particular.'),
    seriesId: z.string().nullable().describe('The series it is an occurrence of.'),
    services: z.array(partView()).describe('As they were booked.'),
    resources: z.array(occupiedView()).describe('What it occupies.'),
    startsAt: instant('When it begins.'),
    endsAt: instant('When the last service ends.'),
    timeZone: z.string().describe('Of the branch when it was booked; IANA.'),
    localStart: z.string().describe('What the wall clock of that zone shows at the start.'),
    status: z.enum(APPOINTMENT_STATUSES).describe('Cancelled ones are shown in lists only when asked for.'),
    statusReason: z.string().nullable().describe('Of the present status.'),
    statusHistory: z.array(history()).describe('The oldest first.'),
    notes: z.string().nullable().describe('Free text.'),
    price: priceView(),
    source: z.string().describe('STAFF, API, IMPORT; others may come.'),
    allowOverlap: z.boolean().describe('True: over others on purpose.'),
  }),
);
