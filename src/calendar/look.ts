import { DAY_MINUTES, localOf, minuteOf } from '../core/civil.ts';
import { AppError } from '../core/errors.ts';
import { alone, toItsEnd } from '../data/alone.ts';
import { shareOf, WeighedMap } from '../data/weighed.ts';
import type { Look } from '../resources/planned.ts';
import type { BookingRequest } from './booking.ts';
import { known, learned } from './known.ts';
import { catalogueQuery, type LoadedCatalogue, loadedOf } from './load-catalogue.ts';
import { questionOf } from './question.ts';
import type { WantedStart } from './start.ts';
import { weightOfCatalogue, weightOfTimes } from './weights.ts';

/** Who and what a request names. */
export const namedBy = ({ branchId, staffId, services, resources = [] }: BookingRequest) => ({
  branchId,
  serviceIds: services.map(({ serviceId }) => serviceId),
  staffIds: services.flatMap((line) => line.staffId ?? staffId ?? []),
  kinds: resources.map(({ kind }) => kind),
});

/** About when that is: zones differ by less than what is read on both sides. */
export const about = (start: WantedStart): number =>
  'startsAt' in start ? minuteOf(start.startsAt) : localOf(start.localStart);

/** Catalogue and calendar between two minutes, read from Postgres: of years, which nobody remembers. */
export async function lookBetween(
  look: Look,
  companyId: string,
  request: BookingRequest,
  span: { first: number; last: number },
): Promise<LoadedCatalogue> {
  const { rows, revision } = await look([catalogueQuery({ companyId, ...namedBy(request), ...span, busy: true })]);
  const [row] = rows[0];
  if (row === undefined) throw new AppError('internal_error');
  return loadedOf(row, revision);
}

/** Longest wait for somebody else who reads the same, ms. */
const PATIENCE = 3000;

/**
 * What was read last of a question, with the time of the reading that came before: true of a later moment than all who asked
 * until then came, however the company goes on. So one look is enough for all who waited for it.
 */
const lately = new WeighedMap<{ calendar: LoadedCatalogue; at: number }>(shareOf('lateLooks'));

/** From how many days before a start to how many after it others are suggested, and what may lie about those. */
export const [BEFORE, AFTER] = [2, 7];
export const around = (minute: number) => ({
  first: minute - (BEFORE + 2) * DAY_MINUTES,
  last: minute + (AFTER + 4) * DAY_MINUTES,
});

/**
 * Catalogue and calendar near a start: everything that a plan is made from, and what else is free if it cannot be. From what
 * is remembered, where Redis says that it still holds.
 */
export const lookAt = (
  look: Look,
  { companyId, request, start }: { companyId: string; request: BookingRequest; start: WantedStart },
): Promise<LoadedCatalogue> => lookAround(look, companyId, request, about(start), false);

/** The same about a minute. @param anew what others did since the request came counts as well */
export async function lookAround(
  look: Look,
  companyId: string,
  request: BookingRequest,
  minute: number,
  anew: boolean,
): Promise<LoadedCatalogue> {
  const { recall } = look;
  const question = questionOf({ ...namedBy(request), ...around(minute) });
  if (recall === undefined) return learned({ companyId, question, now: 0 }, null, look, new Map());
  const { ctx, registry } = recall;
  const asking = { companyId, question, now: ctx.now() };
  const since = anew ? ctx.now() : recall.since;
  const until = ctx.now() + PATIENCE;
  const name = `${companyId} ${question.key}`;
  for (;;) {
    const other = lately.get(name);
    if (
      recall.isSure() &&
      other !== undefined &&
      other.at >= since &&
      // One from the future is of a clock that stepped back since: nothing says how old it is.
      other.at <= ctx.now() &&
      (other.calendar.busyUntil ?? ctx.now() + 1) > ctx.now()
    )
      return other.calendar;
    const row = await recall.reading(question.tags, since);
    if (row === null) return learned(asking, null, look, registry);
    const remembered = known(asking, row);
    if (remembered !== null) return remembered;
    const end = await alone(ctx, `calendar ${name}`, until);
    if (end === null) continue;
    return await toItsEnd(ctx, end, async () => {
      const calendar = await learned(asking, row, look, registry);
      lately.set(name, { calendar, at: row.at }, weightOfCatalogue(calendar) + weightOfTimes(calendar.busy));
      return calendar;
    });
  }
}
