import * as z from 'zod';

const texts = (what: string) => z.array(z.string()).optional().describe(what);
const id = (what: string) => z.string().optional().describe(what);

/** What a refusal says besides, by its code (RFC 9457, 3.2), for whoever builds on it. */
export const moreMembers = () => ({
  suggestions: texts(
    'Of `slot_taken` and `outside_working_hours`: the nearest starts that are free. Of `nonexistent_local_time`: the two instants around it.',
  ),
  instants: texts('Of `ambiguous_local_time`: the earlier and the later one.'),
  staffId: id('Who is taken, archived, or does not work there.'),
  resourceId: id('What is taken.'),
  kind: id('Of which kind no resource is free.'),
  conflictingAppointmentId: id('By which appointment, where it is known.'),
  conflictingInvoiceId: id('Of `already_billed`: by which invoice.'),
  absent: z
    .array(z.object({ staffId: z.string().optional(), resourceId: z.string().optional(), kind: z.string().optional() }))
    .optional()
    .describe('Of `outside_working_hours`: who and what is not there then.'),
  allowed: texts('Of `illegal_transition`: what it can become.'),
  occurrences: z
    .array(
      z.object({
        localStart: z.string(),
        startsAt: z.string().nullable(),
        verdict: z.string(),
        appointmentId: z.string().optional(),
      }),
    )
    .optional()
    .describe('Of `series_conflict`: the verdict on each, as a dry run answers them.'),
  mergedInto: id('The client that this one was merged into.'),
  revision: z.int().optional().describe('Of `revision_ahead`: where the company is.'),
  epoch: id('Of `epoch_changed`: the history that there is now.'),
  head: z.int().optional().describe('Of `epoch_changed` and `window_exceeded`: where the log ends.'),
  oldest: z.int().optional().describe('Of `window_exceeded`: where the kept log begins.'),
  missing: texts('Of a file: the columns that it lacks.'),
  columns: texts('Of a file: the columns that it has.'),
  mapping: z.record(z.string(), z.unknown()).optional().describe('Of a file: what `columns` made of its headers.'),
});
