import type { ErrorCode } from '../../core/errors.ts';
import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { MOST_BOOKED } from '../extent.ts';
import { bookSeries } from './book.ts';
import { cancelSeries, editSeries } from './edit.ts';
import { series } from './resource.ts';
import { SeriesTried, SeriesWithOccurrences } from './schema.ts';

const PATH = '/appointments/series';
const COSTS = 'It costs as much as 5 requests.';
const AT_MOST = `All together they have at most ${MOST_BOOKED} services and resources; more is 422.`;
const REFUSALS: readonly ErrorCode[] = ['unknown_reference', 'not_offered', 'series_conflict', 'erased'];
/** Of a time that is told on another clock than the series'. */
const CLOCKS: readonly ErrorCode[] = ['nonexistent_local_time', 'ambiguous_local_time'];
const changed = {
  status: 200,
  schema: SeriesWithOccurrences,
  description: 'The series, and what became of those reached',
};

/** Below appointments, which its occurrences are. */
export const seriesRoutes = routesBelow(['appointments'], () =>
  standardRoutes(series, {
    only: ['list', 'create', 'read', 'update', 'archive'],
    list: {
      path: PATH,
      description:
        'Their occurrences are appointments: `GET /appointments?seriesId=…`. A walk with `cursor` has no end and never repeats or skips one.',
    },
    create: {
      path: PATH,
      summary: 'Book a series',
      description: `Books every occurrence of a rule, at the same time on the wall clock whatever clocks do, in one transaction. Each has the verdict that booking it alone would have had: resources, processing, holidays and the other occurrences included. With FAIL one that cannot be booked is 409 \`series_conflict\`, whose \`occurrences\` say which; with SKIP it is left out. ${AT_MOST} ${COSTS} With an Idempotency-Key a repeat answers as the first did; a dry run stores nothing, its key neither.`,
      errors: [...REFUSALS, 'invalid_rrule', 'external_id_taken', 'hold_expired'],
      success: { status: 201, schema: SeriesWithOccurrences, description: 'The new series, and what became of each' },
      others: { 200: { schema: SeriesTried, description: 'With `dryRun`: what would become of each' } },
      handler: bookSeries,
    },
    read: { path: `${PATH}/:id`, description: 'As it was booked; its occurrences are appointments that name it.' },
    update: {
      path: `${PATH}/:id`,
      summary: 'Change occurrences of a series',
      description: `One, those from it on in the order of the series, or all: never those that are COMPLETED, CANCELLED or NO_SHOW. A new time is that of the one named; the others move as far on the wall clock, each from where it stands. \`status: CANCELLED\` cancels. What cannot be is told and refused as in booking. ${AT_MOST} ${COSTS}`,
      errors: ['not_found', 'version_mismatch', ...REFUSALS, ...CLOCKS, 'illegal_transition', 'appointment_closed'],
      success: changed,
      handler: editSeries,
    },
    archive: {
      path: `${PATH}/:id`,
      summary: 'Cancel a series',
      description: `Cancels every occurrence that is not over or under way, as PATCH with the scope ALL does. The series stays readable. ${COSTS}`,
      success: changed,
      handler: cancelSeries,
    },
  }),
);
