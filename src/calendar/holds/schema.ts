import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { documentFields, exampleEnd, externalId, instant, notes, reference } from '../../http/schemas.ts';
import { occupiedView, PART, partView } from '../shown.ts';
import { oneStart, startFields, workFields } from '../wanted.ts';

const BRANCH = 'brch_01h455vb4pex5vsknk084sn02q';
const START = '2026-11-01T08:30:00.000Z';

/** What keeps a time: the body of an appointment, or one service by its id. */
export const HoldCreate = lazy(() =>
  z
    .strictObject({
      ...workFields(),
      services: workFields().services.optional(),
      serviceId: reference().optional().describe('In the place of `services`: one alone.'),
      ...startFields(),
      clientId: reference().nullable().optional(),
      ignoreWorkingHours: z
        .boolean()
        .optional()
        .describe('Whatever hours and time off say; needs a permission of its own.'),
      status: z.enum(['PENDING', 'CONFIRMED']).optional().describe('For the booking to come: say it again then.'),
      notes: notes().nullable().optional().describe('Likewise.'),
      externalId: externalId().nullable().optional(),
    })
    .superRefine((body, ctx) => {
      oneStart(body, ctx);
      if ((body.services === undefined) !== (body.serviceId === undefined)) return;
      const code = body.services === undefined ? 'required' : 'conflict';
      ctx.addIssue({
        code: 'custom',
        path: ['services'],
        message: 'Say either services or serviceId.',
        params: { code },
      });
    })
    .meta({
      id: 'HoldCreate',
      examples: [{ branchId: BRANCH, staffId: PART.staffId, serviceId: PART.serviceId, startsAt: START }],
    }),
);

export const HoldView = lazy(() =>
  z
    .object({
      id: z.string().describe('Its public id.'),
      branchId: z.string().describe('Where.'),
      clientId: z.string().nullable().describe('For whom; null: nobody in particular.'),
      services: z.array(partView()).describe('As they would be booked.'),
      resources: z.array(occupiedView()).describe('What it keeps.'),
      startsAt: instant('When it begins.'),
      endsAt: instant('When the last service ends.'),
      timeZone: z.string().describe('Of the branch; IANA.'),
      purpose: z.string().describe('BOOKING; others may come.'),
      expiresAt: instant('From then on it is in nobody’s way.'),
      ...documentFields(),
    })
    .meta({
      id: 'Hold',
      examples: [
        {
          ...{
            id: 'hold_01h455vb4pex5vsknk084sn02q',
            branchId: BRANCH,
            clientId: null,
            services: [PART],
            resources: [],
          },
          ...{ startsAt: START, endsAt: '2026-11-01T09:15:00.000Z', timeZone: 'Europe/Vienna' },
          ...{ purpose: 'BOOKING', expiresAt: '2026-10-01T10:05:00.000Z' },
          ...exampleEnd,
        },
      ],
    }),
);
