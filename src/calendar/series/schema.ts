import * as z from 'zod';
import { AppError } from '../../core/errors.ts';
import { lazy } from '../../core/lazy.ts';
import { exampleOf, instant, notes, publicObject, reference, text } from '../../http/schemas.ts';
import { BRANCH, CLIENT, described, firstStatus, liberties } from '../appointments/schema.ts';
import { parseRule } from '../rrule.ts';
import { OCCURRENCE_VERDICTS, SCOPES } from '../series.ts';
import { PART } from '../shown.ts';
import { clockAlone, oneStart, startFields, workFields } from '../wanted.ts';

const SERIES = 'ser_01h455vb4pex5vsknk084sn02q';
const OCCURRENCE = 'appt_01h455vb4pex5vsknk084sn02q';
const RULE = 'FREQ=WEEKLY;COUNT=2';
const LINE = { serviceId: PART.serviceId, staffId: PART.staffId };

const onConflict = () =>
  z
    .enum(['FAIL', 'SKIP'])
    .optional()
    .describe('FAIL, the default: nothing is stored unless every occurrence can be. SKIP: those that can be are.');
const dryRun = () => z.boolean().optional().describe('True: says what would become of each, and stores nothing.');

const MOST_RULE = 1000;
/** Its faults are told with all others of a body. */
const rule = () =>
  text(MOST_RULE).superRefine((value, ctx) => {
    // Of one that is too short or too long that is said.
    if (value === '' || value.length > MOST_RULE) return;
    try {
      parseRule(value);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      for (const { code, detail } of error.faults) ctx.addIssue({ code: 'custom', message: detail, params: { code } });
    }
  });

export const SeriesCreate = lazy(() =>
  z
    .strictObject({
      ...workFields(),
      ...startFields(),
      ...described(),
      status: firstStatus(),
      holdId: reference().optional().describe('What has kept the time of the first; it ends with this, once.'),
      rrule: rule().describe(
        'RFC 5545 without DTSTART, which is the start: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY with INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST, and COUNT or UNTIL; at most 366 occurrences.',
      ),
      onConflict: onConflict(),
      dryRun: dryRun(),
      ...liberties(),
    })
    .superRefine(oneStart)
    .meta({
      id: 'SeriesCreate',
      examples: [{ branchId: BRANCH, clientId: CLIENT, services: [LINE], localStart: '2026-10-24T09:30', rrule: RULE }],
    }),
);

const edited = ['startsAt', 'localStart', 'staffId', 'services'] as const;

export const SeriesPatch = lazy(() =>
  z
    .strictObject({
      scope: z
        .enum(SCOPES)
        .describe('THIS: the one named. FOLLOWING: that one and those after it in the series. ALL: every one.'),
      appointmentId: reference()
        .optional()
        .describe('The occurrence that is edited; ALL needs none unless it says when.'),
      startsAt: startFields().startsAt.describe('When the one named begins: the others move as far on the wall clock.'),
      localStart: startFields().localStart.describe('The same on the wall clock; or say `startsAt`.'),
      timeZone: startFields().timeZone.describe('Of `localStart`; the one of the series when absent.'),
      fold: startFields().fold,
      staffId: reference().optional().describe('Who does what the first staff member was to do.'),
      services: workFields().services.optional().describe('In the place of those booked, at the terms of today.'),
      clientId: described().clientId,
      notes: notes().nullable().optional(),
      status: z.literal('CANCELLED').optional().describe('Cancels them, wherever they are.'),
      reason: text(500).nullable().optional().describe('Of cancelling, kept in the history.'),
      onConflict: onConflict(),
      dryRun: dryRun(),
      ...liberties(),
    })
    .superRefine((body, ctx) => {
      const refuse = (field: string, code: string, message: string): void =>
        ctx.addIssue({ code: 'custom', path: [field], message, params: { code } });
      const isTold = body.startsAt !== undefined || body.localStart !== undefined;
      if (isTold) oneStart(body, ctx);
      else clockAlone(body, ctx);
      if (body.appointmentId === undefined && (body.scope !== 'ALL' || isTold))
        refuse('appointmentId', 'required', 'Say which occurrence.');
      const moving = edited.filter((field) => body[field] !== undefined);
      const others = body.clientId !== undefined || body.notes !== undefined;
      const places = moving.length > 0 && body.status === undefined;
      for (const field of ['allowOverlap', 'ignoreWorkingHours'] as const)
        if (body[field] !== undefined && !places) refuse(field, 'conflict', 'Goes with a time, a person or services.');
      if (body.reason !== undefined && body.status === undefined) refuse('reason', 'conflict', 'Goes with status.');
      if (body.status !== undefined) {
        for (const field of moving) refuse(field, 'conflict', 'Cancelled ones are at no other time, of nothing else.');
      } else if (moving.length === 0 && !others) refuse('status', 'required', 'Say what is to change.');
    })
    .meta({
      id: 'SeriesPatch',
      examples: [{ scope: 'FOLLOWING', appointmentId: OCCURRENCE, localStart: '2026-10-31T10:30' }],
    }),
);

const Occurrence = lazy(() =>
  z
    .object({
      localStart: z.string().describe('What the wall clock of the series shows, or would have shown.'),
      startsAt: instant('When that is; null where clocks never show it, or twice.').nullable(),
      verdict: z
        .enum(OCCURRENCE_VERDICTS)
        .describe('What booking it alone would have been answered; OK: it is booked.'),
      appointmentId: z.string().optional().describe('The appointment, where there is one.'),
    })
    .meta({ id: 'Occurrence' }),
);

const example = {
  ...{ id: SERIES, branchId: BRANCH, clientId: CLIENT, services: [LINE], rrule: RULE },
  ...{ localStart: '2026-10-24T09:30', timeZone: 'Europe/Vienna', notes: null },
};
const occurrencesExample = (booked: boolean) => [
  {
    ...{ localStart: '2026-10-24T09:30', startsAt: '2026-10-24T07:30:00.000Z', verdict: 'OK' },
    ...(booked && { appointmentId: OCCURRENCE }),
  },
  { localStart: '2026-10-31T09:30', startsAt: '2026-10-31T08:30:00.000Z', verdict: 'SLOT_TAKEN' },
];

export const SeriesView = publicObject('Series', example, () => ({
  branchId: z.string().describe('Where.'),
  clientId: z.string().nullable().describe('For whom; null: nobody in particular.'),
  services: z
    .array(z.object({ serviceId: z.string(), staffId: z.string() }))
    .describe('What it was booked for. What each occurrence is of, and when, its appointment says.'),
  rrule: z.string().describe('As it was booked; RFC 5545.'),
  localStart: z.string().describe('Where the rule begins, on the wall clock.'),
  timeZone: z.string().describe('Whose clock; IANA.'),
  notes: z.string().nullable().describe('Free text.'),
}));

const occurrences = () => z.array(Occurrence()).describe('In the order of the series.');

/** What becomes of each, where nothing was stored. */
export const SeriesTried = lazy(() =>
  z
    .object({ occurrences: occurrences() })
    .meta({ id: 'SeriesTried', examples: [{ occurrences: occurrencesExample(false) }] }),
);

/** A series with what became of those occurrences that the request was about. */
export const SeriesWithOccurrences = lazy(() =>
  SeriesView()
    .extend({ occurrences: occurrences() })
    .meta({
      id: 'SeriesWithOccurrences',
      examples: [{ ...exampleOf(example), occurrences: occurrencesExample(true) }],
    }),
);
