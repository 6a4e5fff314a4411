import { sql } from 'drizzle-orm';
import { localText, minuteOf } from '../../core/civil.ts';
import { AppError } from '../../core/errors.ts';
import { newUuid } from '../../core/id.ts';
import { localAt, offsetsOf } from '../../core/offsets.ts';
import { type RowFault, rowError } from '../../data/postgres-errors.ts';
import { turnToCompute } from '../../resources/computing.ts';
import type { Look, Plan } from '../../resources/planned.ts';
import { insertRow } from '../../resources/row-sql.ts';
import { createOf } from '../../resources/verbs.ts';
import { newAppointment } from '../appointments/new.ts';
import { appointment } from '../appointments/resource.ts';
import { ignoringHours, liberties, maybe, requestOf } from '../asked.ts';
import { neighbourhood } from '../booking.ts';
import { adoptClock } from '../clock.ts';
import { extentOf, requireExtent } from '../extent.ts';
import { guardOf } from '../guard.ts';
import { lookBetween } from '../look.ts';
import { type Occupied, type Part, shapeOf } from '../parts.ts';
import { bookedRow, withBranch } from '../plan.ts';
import { parseRule, ruleText } from '../rrule.ts';
import { judgeSeries, localStarts, reach } from '../series.ts';
import { type Fold, foldOf, requireWholeMinute } from '../start.ts';
import { type Placed, takenOf } from '../taken.ts';
import { startOf, type Told } from '../wanted.ts';
import {
  isOk,
  type Planned,
  plannedOf,
  requireClient,
  seriesConflict,
  shownOccurrences,
  WEIGHT,
} from './occurrences.ts';
import { series as resource } from './resource.ts';
import { workOf } from './work.ts';

/** What it takes to judge the occurrences of a rule, which is done in one go, KiB. */
const EFFORT = 512;

/**
 * Books every occurrence of a rule in one transaction: planned from one snapshot of all that lies between the first and the
 * last, and judged again by the database where others were faster.
 */
export const bookSeries = createOf(resource, {
  weight: WEIGHT,
  alsoNeeds: liberties,
  async plan({ companyId, principal, id, body }, look, c): Promise<Plan> {
    await turnToCompute(c.env, companyId, EFFORT);
    const rule = parseRule(body.rrule);
    const request = requestOf(body);
    const { localStart, zone, fold } = await beginning(look, companyId, request.branchId, startOf(body));
    const { first, last } = reach(rule, localStart);
    const span = neighbourhood(first, last);
    const catalogue = withBranch(await lookBetween(look, companyId, request, span), request);
    const held = await heldBy(look, companyId, maybe('hold', body.holdId));
    const { timeZone } = catalogue.branch;
    const offsets = offsetsOf(timeZone, span.first, span.last);
    const told = zone === null ? offsets : offsetsOf(zone, span.first, span.last);
    const work = workOf(catalogue, request);
    const locals = localStarts(told, rule, localStart);
    requireExtent(locals.length * extentOf(work), '/rrule', 'Book fewer occurrences, or several series.');
    const candidates = locals.map((local) => ({ id: newUuid(), local, work }));
    const liberty = { ...body, fold: body.fold ?? fold };
    const planned = judgeSeries(
      catalogue,
      { offsets, told },
      candidates,
      takenOf(catalogue.busy, held === null ? [] : [held]),
      liberty,
    ).map(plannedOf);
    if (body.dryRun === true) {
      await requireClient(look, companyId, body.clientId);
      const told = { occurrences: shownOccurrences(planned, none) };
      return { statements: [], told: { told, revision: catalogue.revision } };
    }
    const skips = body.onConflict === 'SKIP';
    if (work === null || !(skips ? planned.some(isOk) : planned.every(isOk)))
      throw seriesConflict(shownOccurrences(planned, none));
    const rows = planned.flatMap(({ id: own, localStart: original, startsAt, verdict }, index) => {
      if (verdict !== 'OK' || startsAt === null) return [];
      const row = {
        ...newAppointment(
          own,
          principal,
          { ...body, externalId: null, holdId: index === 0 ? body.holdId : undefined },
          work,
        ),
        ...bookedRow(request.branchId, { ...work, startsAt, timeZone }),
        ...{ series_id: id, original_start: original },
      };
      return [{ index, row }];
    });
    const own = {
      ...{ id, branch_id: request.branchId, client_id: maybe('clnt', body.clientId) ?? null },
      ...{ rrule: ruleText(rule), local_start: localStart, time_zone: told.timeZone },
      services: work.parts.map(({ serviceId, staffId }) => ({ serviceId, staffId })),
      ...{ notes: body.notes ?? null, external_id: body.externalId ?? null },
    };
    return {
      statements: [
        adoptClock(offsets),
        ...ignoringHours(body.ignoreWorkingHours),
        insertRow(resource, own),
        sql`select app.bulk_insert(${appointment.tableName}, ${JSON.stringify(rows)}::jsonb, false)`,
        skips ? REFUSE_NONE : REFUSE_ANY,
      ],
      guard: guardOf(catalogue, request, work),
      extra: sql`select jsonb_build_object('planned', ${JSON.stringify(planned)}::jsonb, 'refused',
        jsonb_path_query_array(current_setting('app.result')::jsonb, '$[*] ? (exists (@.state)).index'))`,
      explain: (error) => explained(error, planned, (fault) => rowError(fault, c.env.deps.constraints)),
    };
  },
  present: ({ planned, refused }: { planned: Planned[]; refused: number[] }) => ({
    occurrences: shownOccurrences(planned, isOk, refused),
  }),
});

const none = (): boolean => false;

/** Ends the write where the database refused one of the occurrences, or all of them; with what it said of each. */
const refuseWhere = (path: string) =>
  sql`select app.refuse(jsonb_path_exists(r, ${path}::jsonpath) or not jsonb_path_exists(r, '$[*].id'), 'series_conflict',
    jsonb_build_object('refused', r)) from (select current_setting('app.result')::jsonb) x (r)`;
const REFUSE_ANY = refuseWhere('$[*].state');
const REFUSE_NONE = refuseWhere('$[*] ? (exists (@.state) && !(@.message == "slot_taken"))');

/** What the database refused is taken, as if it had been planned so; what is wrong with every occurrence is told as such. */
function explained(error: AppError, planned: readonly Planned[], meaning: (fault: RowFault) => AppError): AppError {
  const verdicts = error.extra.refused as readonly ({ id: string } | RowFault)[] | undefined;
  if (error.code !== 'series_conflict' || verdicts === undefined) return error;
  const faults = verdicts.filter((each) => 'state' in each);
  const other = faults.map(meaning).find(({ code }) => code !== 'slot_taken');
  if (other !== undefined) return other;
  return seriesConflict(
    shownOccurrences(
      planned,
      none,
      faults.map(({ index }) => index),
    ),
  );
}

/** What a hold keeps busy, which is in nobody's way once it is booked. @throws AppError hold_expired, unknown_reference of one that never was */
async function heldBy(look: Look, companyId: string, id: string | undefined): Promise<Placed | null> {
  if (id === undefined) return null;
  const { rows } = await look([
    sql<{
      start: number;
      services: Part[];
      resources: Occupied[];
    }>`select app.minute_of(starts_at) as start, services, resources
      from holds where company_id = ${companyId}::uuid and id = ${id}::uuid and expires_at > clock_timestamp()`,
  ]);
  const [hold] = rows[0];
  if (hold === undefined) {
    await look([sql`select app.refuse_hold(${companyId}::uuid, ${id}::uuid)`]);
    throw new AppError('hold_expired');
  }
  const resources = hold.resources.flatMap(({ resourceId }) => resourceId ?? []);
  return { start: Number(hold.start), shape: shapeOf(hold.services, []), resources };
}

/** Where a rule begins on the wall clock of its zone, which is the branch's where none is told. */
async function beginning(
  look: Look,
  companyId: string,
  branchId: string,
  told: Told,
): Promise<{ localStart: string; zone: string | null; fold?: Fold | undefined }> {
  const { start, zone } = told;
  requireWholeMinute(start);
  if ('localStart' in start) return { localStart: start.localStart.slice(0, 16), zone };
  const { rows } = await look([
    sql<{
      zone: string;
    }>`select time_zone as zone from branches where company_id = ${companyId}::uuid and id = ${branchId}::uuid`,
  ]);
  const own = rows[0][0]?.zone ?? 'UTC';
  const minute = minuteOf(start.startsAt);
  const offsets = offsetsOf(own, minute, minute);
  return { localStart: localText(localAt(offsets, minute)), zone: own, fold: foldOf(offsets, minute) };
}
