import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { change } from '../../resources/change.ts';
import { notFound } from '../../resources/list.ts';
import type { Look, Plan } from '../../resources/planned.ts';
import { expectVersion, rowOf, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { appointment } from '../appointments/resource.ts';
import { OVER } from '../appointments/table.ts';
import { ignoringHours, liberties, maybe } from '../asked.ts';
import { affected } from '../series.ts';
import { isOk, type Planned, requireClient, seriesConflict, shownOccurrences, WEIGHT } from './occurrences.ts';
import { placement } from './place.ts';
import { series as resource } from './resource.ts';
import { type Booked, type Edit, occurrencesOf, type SeriesRow, standing } from './rows.ts';
import { SeriesPatch } from './schema.ts';
import { linesOf } from './work.ts';

const present = ({ planned }: { planned: Planned[] }) => ({ occurrences: shownOccurrences(planned, every) });
const every = (): boolean => true;

/** Changes one occurrence, those from it on, or all: what is over stays as it was. */
export const editSeries = change({
  resource,
  name: 'series.update',
  body: SeriesPatch,
  target: 'path',
  status: 200,
  weight: WEIGHT,
  alsoNeeds: liberties,
  plan: (input, look) => planEdit(input, input.body, look),
  present,
});

/** Cancels every occurrence that can be. */
export const cancelSeries = change({
  ...{ resource, name: 'series.cancel', target: 'path', status: 200, weight: WEIGHT, present },
  plan: (input, look) => planEdit(input, { scope: 'ALL', status: 'CANCELLED' }, look),
});

async function planEdit(input: WriteInput<unknown>, body: Edit, look: Look): Promise<Plan> {
  const { companyId, id } = input;
  const found = await look([
    expectVersion(resource, input),
    sql<{ row: SeriesRow }>`select ${resource.row} as row from ${resource.table} where ${rowOf(resource, input)}`,
    occurrencesOf(companyId, id),
  ] as const);
  const row = found.rows[1][0]?.row;
  if (row === undefined) throw notFound(resource);
  const all = found.rows[2].map((each) => each.row);
  const named = body.appointmentId === undefined ? null : namedIn(all, body.appointmentId);
  const targets = targetsOf(all, named, body);
  const ids = targets.map((each) => each.id);
  const own = { since: found.revision, entities: { appointment: ids, series: [id] } };
  const words = wordsOf(body);
  const update = (sets: SQL[], to: readonly string[] = ids): SQL[] =>
    sets.length === 0 || to.length === 0
      ? []
      : [
          sql`update ${appointment.table} set ${sql.join(sets, sql`, `)}
            where company_id = ${companyId}::uuid and id = any (${sql.param([...to])}::uuid[])`,
        ];
  const planOf = async (
    planned: readonly Planned[],
    statements: readonly SQL[],
    more: Partial<Plan> = {},
  ): Promise<Plan> => {
    if (body.dryRun === true) {
      await requireClient(look, companyId, body.clientId);
      const told = { ...resource.view(row, resource.version), occurrences: shownOccurrences(planned, every) };
      return { statements: [], told: { told, revision: found.revision } };
    }
    return {
      guard: own,
      ...more,
      statements: [expectVersion(resource, input), ...statements],
      extra: sql`select ${JSON.stringify({ planned })}::jsonb`,
    };
  };
  if (body.status !== undefined) {
    const sets = [sql`status = ${body.status}`, sql`status_reason = ${body.reason ?? null}`];
    return planOf(standing(targets), [...update([...sets, ...words]), ...ofSeries(words)]);
  }
  if (body.startsAt === undefined && body.localStart === undefined && !(body.staffId ?? body.services))
    return planOf(standing(targets), [...update(words), ...ofSeries(words)]);

  if (targets.length === 0) return planOf([], ofSeries(words));
  const { planned, guard, stored } = await placement(look, companyId, { row, named, targets, body });
  const done = planned.filter(isOk);
  const isRefused = body.onConflict === 'SKIP' ? done.length === 0 : done.length < planned.length;
  if (isRefused && body.dryRun !== true) throw seriesConflict(shownOccurrences(planned, every));
  const statements = [
    ...ignoringHours(body.ignoreWorkingHours),
    ...stored,
    ...update(
      words,
      done.map((each) => each.id),
    ),
    ...ofSeries([...words, sql`services = ${JSON.stringify(linesOf(row, body))}::jsonb`]),
  ];
  return planOf(planned, statements, {
    guard: { since: Math.min(own.since, guard.since), entities: { ...guard.entities, ...own.entities } },
    isStale: ({ code }) => code === 'slot_taken',
  });

  function ofSeries(sets: SQL[]): SQL[] {
    return body.scope === 'ALL' && sets.length > 0 ? [setRow(resource, input, sql.join(sets, sql`, `))] : [];
  }
}

/** What is told of each besides when and with whom. */
function wordsOf({ notes, clientId }: Edit): SQL[] {
  return [
    ...(notes === undefined ? [] : [sql`notes = ${notes}`]),
    ...(clientId === undefined ? [] : [sql`client_id = ${maybe('clnt', clientId) ?? null}::uuid`]),
  ];
}

function namedIn(all: readonly Booked[], appointmentId: string): Booked {
  const id = maybe('appt', appointmentId);
  const named = all.find((each) => each.id === id);
  if (named !== undefined) return named;
  const faults = [
    { pointer: '/appointmentId', code: 'unknown_reference', detail: 'The series has no such occurrence.' },
  ];
  throw new AppError('unknown_reference', undefined, { faults });
}

/** Those that the edit reaches: of several those that are not over; one that is named alone must not be. */
function targetsOf(all: readonly Booked[], named: Booked | null, { scope, status }: Edit): Booked[] {
  const reached = affected(all, named?.localStart ?? null, scope);
  // The database knows which status follows, and says so.
  if (status !== undefined && scope === 'THIS') return reached;
  const isOpen = (each: Booked): boolean =>
    !OVER.has(each.status) && (status === undefined || each.status !== 'IN_PROGRESS');
  const open = reached.filter(isOpen);
  if (scope === 'THIS' && open.length === 0 && named !== null)
    throw new AppError('appointment_closed', `It is ${named.status}: what is over is changed no more.`);
  return open;
}
