import { type SQL, sql } from 'drizzle-orm';
import { localOf, localText, minuteOf } from '../../core/civil.ts';
import { AppError } from '../../core/errors.ts';
import { BEYOND, isNear } from '../../core/instant.ts';
import { localAt, offsetsOf } from '../../core/offsets.ts';
import type { Look } from '../../resources/planned.ts';
import { appointment } from '../appointments/resource.ts';
import { neighbourhood } from '../booking.ts';
import type { Resource, Times } from '../catalogue.ts';
import { adoptClock } from '../clock.ts';
import { extentOf, requireExtent } from '../extent.ts';
import { type BookingGuard, guardOf, unitedGuard } from '../guard.ts';
import { lookBetween } from '../look.ts';
import { type Occupied, shapeOf } from '../parts.ts';
import { withBranch } from '../plan.ts';
import { type Candidate, judgeSeries } from '../series.ts';
import { type Fold, foldOf, minuteOfStart, requireWholeMinute, type WantedStart } from '../start.ts';
import { type Placed, type Taken, takenOf } from '../taken.ts';
import { isToldBy, startOf } from '../wanted.ts';
import { isOk, type Planned, plannedOf } from './occurrences.ts';
import type { Booked, Edit, SeriesRow } from './rows.ts';
import { requestOfEdit, worksOf } from './work.ts';

type Asked = { row: SeriesRow; named: Booked | null; targets: readonly Booked[]; body: Edit };

/** What becomes of occurrences that are to be at another time, with others or of other services, and what stores that. */
type Placement = { planned: Planned[]; guard: BookingGuard; stored: SQL[] };

/** @throws AppError as planWork and requireWholeMinute; invalid_body beyond the years there are */
export async function placement(look: Look, companyId: string, asked: Asked): Promise<Placement> {
  const { row, targets, body } = asked;
  const { by, fold } = shiftOf(asked);
  const minutes = targets.map((each) => minuteOf(each.starts_at));
  const shift = by ?? 0;
  const span = neighbourhood(Math.min(...minutes) + Math.min(shift, 0), Math.max(...minutes) + Math.max(shift, 0));
  const request = requestOfEdit(row, targets, body);
  const catalogue = withBranch(await lookBetween(look, companyId, request, span), request);
  const { timeZone } = catalogue.branch;
  const offsets = offsetsOf(timeZone, span.first, span.last);
  const told = offsetsOf(row.time_zone, span.first, span.last);
  const works = worksOf(catalogue, targets, body, shift !== 0);
  const extent = works.reduce((sum, work) => sum + extentOf(work), 0);
  requireExtent(extent, '/scope', 'Change fewer occurrences at a time.');
  const candidates = targets.map((each, i): Candidate => {
    const minute = minutes[i] ?? 0;
    return {
      id: each.id,
      local: localAt(told, minute) + shift,
      ...(by === null && { minute }),
      work: works[i] ?? null,
      prefers: chosenBy(each),
    };
  });
  requireYears(candidates, body);
  // Who makes room for others goes first: the last, where all go forwards.
  const inTurn = shift > 0 ? candidates.toReversed() : candidates;
  const judged = judgeSeries(catalogue, { offsets, told }, inTurn, beside(catalogue.busy, targets), { ...body, fold });
  const placings = shift > 0 ? judged.toReversed() : judged;
  const planned = placings.map(plannedOf);
  const rows = placings.flatMap(({ id, chosen }, i) => {
    const [work, plan] = [works[i] ?? null, planned[i]];
    if (work === null || plan === undefined || !isOk(plan)) return [];
    // One alone has its resources chosen by the database. Of several, each would find what the others are about to leave.
    const resources = targets.length === 1 ? work.resources : named(work.resources, chosen, catalogue.resources);
    return [{ id, services: work.parts, resources, starts_at: plan.startsAt, price: work.price }];
  });
  const guards = works.flatMap((work) => (work === null ? [] : guardOf(catalogue, request, work)));
  return {
    planned,
    guard: unitedGuard(guards),
    stored: rows.length === 0 ? [] : [adoptClock(offsets), storing(companyId, rows, timeZone, body)],
  };
}

/** By how many minutes of the wall clock each moves; null: it stays where it is. */
function shiftOf({ row, named, body }: Asked): { by: number | null; fold?: Fold | undefined } {
  if (!isToldBy(body) || named === null) return { by: null };
  const { start, zone } = startOf(body);
  requireWholeMinute(start);
  const from = localOf(named.localNow);
  const isOwnClock = zone === null || zone === row.time_zone;
  if ('localStart' in start && isOwnClock) return { by: localOf(start.localStart) - from, fold: start.fold };
  const minute = minuteIn(zone ?? row.time_zone, start);
  const offsets = offsetsOf(row.time_zone, minute, minute);
  return { by: localAt(offsets, minute) - from, fold: foldOf(offsets, minute) };
}

function minuteIn(zone: string, start: WantedStart): number {
  const { first, last } = neighbourhood('startsAt' in start ? minuteOf(start.startsAt) : localOf(start.localStart));
  return minuteOfStart(offsetsOf(zone, first, last), start);
}

function requireYears(candidates: readonly Candidate[], body: Edit): void {
  if (candidates.every(({ local }) => isNear(localText(local)))) return;
  const pointer = body.startsAt === undefined ? '/localStart' : '/startsAt';
  throw new AppError('invalid_body', undefined, { faults: [{ pointer, code: 'out_of_range', detail: BEYOND }] });
}

const chosenBy = ({ resources }: Booked): string[] => resources.flatMap(({ resourceId }) => resourceId ?? []);

/** What is busy with others, and beside it where each of these is so far. */
function beside(busy: Times, targets: readonly Booked[]): Taken {
  const placed = targets
    .filter((each) => !each.allow_overlap)
    .map((each): [string, Placed] => {
      const start = minuteOf(each.starts_at);
      return [each.id, { start, shape: shapeOf(each.services, []), resources: chosenBy(each) }];
    });
  const taken = takenOf(
    busy,
    placed.map(([, each]) => each),
  );
  for (const [id, each] of placed) taken.put(id, each);
  return taken;
}

/** Each kind with one of those that were chosen for it. */
function named(resources: readonly Occupied[], chosen: readonly string[], known: readonly Resource[]): Occupied[] {
  const left = known.filter(({ id }) => chosen.includes(id));
  return resources.map(({ kind }) => {
    const at = left.findIndex((each) => each.kind === kind);
    return { kind, resourceId: left.splice(at, at < 0 ? 0 : 1)[0]?.id ?? null };
  });
}

/** All in one statement, so that they may change places among each other. */
function storing(companyId: string, rows: readonly unknown[], timeZone: string, body: Edit): SQL {
  const price = body.services === undefined ? sql`` : sql`, price = x.price`;
  return sql`update ${appointment.table} set services = x.services, resources = x.resources, starts_at = x.starts_at,
      time_zone = ${timeZone}, allow_overlap = ${body.allowOverlap ?? false}::boolean${price}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) x (id uuid, services jsonb, resources jsonb, starts_at timestamptz, price jsonb)
    where ${appointment.table}.company_id = ${companyId}::uuid and ${appointment.table}.id = x.id`;
}
