import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import { minuteOf } from '../../core/civil.ts';
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../http/context.ts';
import { principalOf } from '../../http/context.ts';
import { type BulkPlan, type BulkRow, bulk } from '../../resources/bulk.ts';
import type { BulkItem } from '../../resources/bulk-items.ts';
import type { Refused } from '../../resources/bulk-verdicts.ts';
import { pause } from '../../resources/pause.ts';
import type { Look } from '../../resources/planned.ts';
import { ignoringHours, liberties, maybe, requestOf } from '../asked.ts';
import { type BookingPlan, neighbourhood, planBooking } from '../booking.ts';
import { adoptClocks, type Told } from '../clock.ts';
import { extentOf, requireExtent } from '../extent.ts';
import { unitedGuard } from '../guard.ts';
import { type Hindered, takenBy } from '../hindered.ts';
import { catalogueQuery, type LoadedCatalogue, loadedOf } from '../load-catalogue.ts';
import { about, namedBy } from '../look.ts';
import { bookedRow, offsetsAt, type Wish, withBranch } from '../plan.ts';
import { judgeStart } from '../presence.ts';
import { saying } from '../shown.ts';
import { covered, daysOf } from '../spans.ts';
import { type Taken, takenOf } from '../taken.ts';
import { startOf } from '../wanted.ts';
import { newAppointment } from './new.ts';
import { appointment } from './resource.ts';
import type { AppointmentCreate } from './schema.ts';

type Body = z.output<ReturnType<typeof AppointmentCreate>>;
type Item = BulkItem<Body> & { wish: Wish };

/** Items that are planned without a pause. */
const SLICE = 50;

/** Books many, in their order: planned from one look at all that they are about, each beside those before it. */
export const bookMany = bulk(appointment, { alsoNeeds: liberties, plan });

async function plan(items: readonly BulkItem<Body>[], look: Look, c: AppContext): Promise<BulkPlan> {
  const principal = principalOf(c);
  const wished = items.map((item): Item => {
    const { companyId } = principal;
    return { ...item, wish: { companyId, request: requestOf(item.body), ...startOf(item.body) } };
  });
  const { catalogues, clients } = await lookedUp(look, principal.companyId, wished);
  const taken = takenOf(busyIn(catalogues.values()));
  const rows: (BulkRow & { isLenient: boolean })[] = [];
  const clocks: Told[] = [];
  const refused: Refused[] = [];
  const hindered: (Hindered & { index: number })[] = [];
  const guards: BookingPlan['guard'][] = [];
  let extent = 0;
  for (const [n, item] of wished.entries()) {
    if (n % SLICE === SLICE - 1) await pause();
    requireExtent(extent, '/items', 'Book fewer at a time.');
    const { index, id, body, wish } = item;
    try {
      const catalogue = catalogues.get(wish.request.branchId);
      if (catalogue === undefined) throw unknown('/branchId', 'There is no such object.');
      const clientId = maybe('clnt', body.clientId);
      if (clientId !== undefined && !clients.has(clientId)) throw unknown('/clientId', 'There is no such client.');
      const planned = await planOne(item, catalogue, taken);
      guards.push(planned.booking.guard);
      if ('hindrance' in planned) hindered.push({ index, ...planned });
      else {
        const { booking } = planned;
        extent += extentOf(booking);
        const row = { ...newAppointment(id, principal, body, booking), ...bookedRow(wish.request.branchId, booking) };
        rows.push({ index, row, isLenient: body.ignoreWorkingHours === true });
        clocks.push({ offsets: booking.offsets, start: minuteOf(booking.startsAt) });
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.push({ index, error: saying(error, {}) });
    }
  }
  requireExtent(extent, '/items', 'Book fewer at a time.');
  const errors = await takenBy(look, principal.companyId, hindered);
  refused.push(...hindered.flatMap(({ index }, i) => (errors[i] === undefined ? [] : { index, error: errors[i] })));
  const [strict, lenient] = [false, true].map((isLenient) =>
    rows.filter((each) => each.isLenient === isLenient).map(({ index, row }) => ({ index, row })),
  );
  return {
    batches: [
      { before: [adoptClocks(clocks)], rows: strict ?? [] },
      // What the database chooses for them need not be open.
      ...(lenient === undefined || lenient.length === 0 ? [] : [{ before: ignoringHours(true), rows: lenient }]),
    ],
    refused,
    guard: guards.length === 0 ? undefined : unitedGuard(guards),
  };
}

/** One of them as it is to be stored, or who or what is in its way; beside it are those before it. */
async function planOne(
  { id, body, wish }: Item,
  loaded: LoadedCatalogue,
  taken: Taken,
): Promise<{ booking: BookingPlan } | (Hindered & { booking: BookingPlan })> {
  const catalogue = withBranch(loaded, wish.request);
  const { offsets, wanted } = offsetsAt(catalogue.branch, wish);
  const booking = planBooking(catalogue, { ...wish.request, start: wish.start }, offsets, wanted);
  // On purpose over others; or where a hold of its own is.
  if (body.allowOverlap === true) return { booking };
  const start = minuteOf(booking.startsAt);
  const anyTime = body.ignoreWorkingHours === true;
  const busy = body.holdId === undefined ? taken.near(start) : new Map();
  const { taken: met, chosen } = judgeStart(catalogue, offsets, booking, start, busy, anyTime);
  const [hindrance] = met;
  if (hindrance !== undefined) return { booking, hindrance };
  taken.put(id, { start, shape: booking.shape, resources: body.holdId === undefined ? chosen : [] });
  return { booking };
}

/**
 * What each branch's are planned from, all read at one revision, and which of the clients there are: what the database finds out only at
 * the end of a statement of hundreds would be written again and again.
 */
async function lookedUp(
  look: Look,
  companyId: string,
  items: readonly Item[],
): Promise<{ catalogues: ReadonlyMap<string, LoadedCatalogue>; clients: ReadonlySet<string> }> {
  const asked = [...Map.groupBy(items, ({ wish }) => wish.request.branchId)];
  const there =
    asked.length > 1
      ? await branchesOf(
          look,
          companyId,
          asked.map(([branchId]) => branchId),
        )
      : null;
  const byBranch = asked.filter(([branchId]) => there?.has(branchId) ?? true);
  const queries = byBranch.map(([branchId, its]) => {
    const named = its.map(({ wish }) => namedBy(wish.request));
    const spans = covered(
      its.flatMap(({ wish }) => {
        const { first, last } = neighbourhood(about(wish.start));
        return [first, last];
      }),
    );
    return catalogueQuery({
      ...{ companyId, branchId },
      serviceIds: named.flatMap(({ serviceIds }) => serviceIds),
      staffIds: named.flatMap(({ staffIds }) => staffIds),
      kinds: [...new Set(named.flatMap(({ kinds }) => kinds))],
      ...{ first: spans[0] ?? 0, last: spans.at(-1) ?? 0, busy: daysOf(spans) },
    });
  });
  if (queries.length === 0) return { catalogues: new Map(), clients: new Set() };
  const named = items.flatMap(({ body }) => maybe('clnt', body.clientId) ?? []);
  const { rows, revision } = await look([
    sql<{
      id: string;
    }>`select id from clients where company_id = ${companyId}::uuid and id = any (${sql.param([...new Set(named)])}::uuid[])`,
    ...queries,
  ] as const);
  const [known, ...found] = rows;
  const catalogues = new Map(
    byBranch.flatMap(([branchId], i) => {
      const row = found[i]?.[0];
      return row === undefined ? [] : [[branchId, loadedOf(row, revision)]];
    }),
  );
  return { catalogues, clients: new Set(known.map(({ id }) => id)) };
}

/** Which of several there are: to ask for the catalogue of each of hundreds that nobody has would take long. */
async function branchesOf(look: Look, companyId: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await look([
    sql<{
      id: string;
    }>`select id from branches where company_id = ${companyId}::uuid and id = any (${sql.param([...ids])}::uuid[])`,
  ]);
  return new Set(rows[0].map(({ id }) => id));
}

const unknown = (pointer: string, detail: string): AppError =>
  new AppError('unknown_reference', undefined, { faults: [{ pointer, code: 'unknown_reference', detail }] });

/** Somebody may work at several branches. */
function busyIn(catalogues: Iterable<LoadedCatalogue>): Map<string, number[]> {
  const all = new Map<string, number[]>();
  for (const { busy } of catalogues) {
    for (const [id, times] of busy) all.set(id, [...(all.get(id) ?? []), ...times]);
  }
  return all;
}
