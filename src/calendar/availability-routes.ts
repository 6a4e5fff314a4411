import * as z from 'zod';
import { DAY_MINUTES, instantsJson } from '../core/civil.ts';
import { AppError, type Fault } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import { lazy } from '../core/lazy.ts';
import { offsetsOf } from '../core/offsets.ts';
import { routesBelow } from '../http/route.ts';
import { instant } from '../http/schemas.ts';
import { type Assembled, type AssembledRoute, readAssembled, TTL } from '../resources/read.ts';
import { countStarts, freeStarts, offeredUntil } from './availability.ts';
import {
  AVAILABILITY_QUERY,
  type AvailabilityQuery,
  parseAvailability,
  requireAnswerable,
} from './availability-query.ts';
import { offers, type Service, type StaffMember } from './catalogue.ts';
import { type Known, known, learned } from './known.ts';
import type { LoadedCatalogue } from './load-catalogue.ts';
import { durationOf } from './parts.ts';
import { sweep } from './sweep.ts';
import { sweptOf } from './swept.ts';

const PERMISSION = 'appointments:read';

const availability: AssembledRoute<AvailabilityQuery> = {
  name: 'availability',
  version: 2,
  permission: PERMISSION,
  ttl: TTL.list,
  // Months of starts, of everybody.
  effort: 128,
  parse: parseAvailability,
  tags: ({ question }) => question.tags,
  async assemble({ query, companyId, row, look, c }) {
    const { ctx, deps } = c.env;
    const now = ctx.now();
    const asking = { companyId, question: query.question, now };
    const name =
      row === null ? null : `${companyId} ${query.question.key} ${query.serviceIds} ${query.from} ${query.to}`;
    if (look !== null) return await offered(await learned(asking, row, look, deps.registry), query, now, name);
    const found = row === null ? null : known(asking, row);
    return found === null ? null : await offered(found, query, now, name);
  },
};

/** The answer to a query from the calendar it is about. @param name of the sweep, to be kept; null: of what is not kept. @throws AppError unknown_reference, not_offered, invalid_parameter */
async function offered(
  calendar: Known,
  query: AvailabilityQuery,
  now: number,
  name: string | null,
): Promise<Assembled> {
  const { branch, services } = judged(calendar, query);
  const { first, last } = query.question.wanted;
  const offsets = offsetsOf(branch.timeZone, first, last + 32 * DAY_MINUTES);
  const isOpen = branch.isActive && services.every(({ isActive }) => isActive);
  const question = {
    ...{ branch, offsets, services, resources: calendar.resources },
    staff: isOpen ? [...calendar.staff.values()].filter((member) => fits(member, services)) : [],
    ...{ from: query.from, to: query.to, stepMinutes: query.stepMinutes, now },
    ...{ timeOff: calendar.timeOff, busy: calendar.busy },
  };
  const swept = name === null ? sweep(question) : sweptOf(name, question);
  requireAnswerable(countStarts(question, swept));
  const free = freeStarts(question, swept);
  const until = [calendar.busyUntil, offeredUntil(services, offsets, now, free)].filter((at) => at !== null);
  const data = free.map(
    ({ staffId, starts }) => `{"staffId":"${formatId('stf', staffId)}","starts":${instantsJson(starts)}}`,
  );
  const { epoch, revision } = calendar;
  return {
    epoch,
    revision,
    body: `{"data":[${data.join()}]}`,
    validUntil: until.length === 0 ? null : Math.min(...until),
  };
}

/** What of the query is there, and whether the one who is asked for offers it. @throws AppError unknown_reference, not_offered */
function judged(
  catalogue: LoadedCatalogue,
  { serviceIds, staffId }: AvailabilityQuery,
): { branch: NonNullable<LoadedCatalogue['branch']>; services: Service[] } {
  const faults: Fault[] = [];
  const missing = (parameter: string): void => {
    faults.push({ parameter, code: 'unknown_reference', detail: 'There is no such object.' });
  };
  const services = serviceIds.flatMap((id) => catalogue.services.get(id) ?? []);
  const { branch } = catalogue;
  const member = staffId === null ? null : (catalogue.staff.get(staffId) ?? undefined);
  if (branch === null) missing('branchId');
  if (services.length < serviceIds.length) missing('serviceId');
  if (member === undefined) missing('staffId');
  if (branch === null || faults.length > 0) throw new AppError('unknown_reference', undefined, { faults });
  if (member) {
    const detail = services.every((its) => offers(member, its))
      ? member.branchIds.includes(branch.id) || 'Does not work there.'
      : 'Does not offer all of it.';
    if (detail !== true) {
      const fault = { parameter: 'staffId', code: 'not_offered', detail };
      throw new AppError('not_offered', undefined, { faults: [fault] });
    }
  }
  return { branch, services };
}

/** A visit whose last part would begin more than a day after its first is none that can be booked (app.parts_fit). */
function fits(member: StaffMember, services: readonly Service[]): boolean {
  const before = services.slice(0, -1);
  return before.reduce((minutes, service) => minutes + durationOf(service, member.id), 0) <= DAY_MINUTES;
}

const Availability = lazy(() =>
  z
    .object({
      data: z
        .array(
          z.object({
            staffId: z.string().describe('Who does all of it.'),
            starts: z
              .array(instant('When it may begin.'))
              .describe('In order; each can be booked, and none is missing.'),
          }),
        )
        .describe('In the order of names; who has no free start is there with none.'),
    })
    .meta({
      id: 'Availability',
      examples: [{ data: [{ staffId: 'stf_01h455vb4pex5vsknk084sn02q', starts: ['2026-03-02T09:30:00.000Z'] }] }],
    }),
);

export const availabilityRoutes = routesBelow(['availability'], () => [
  {
    method: 'get',
    path: '/availability',
    tag: 'Availability',
    summary: 'Free starts',
    description:
      'Honours hours, holidays, time off, buffers, processing, bookings, holds and resources. Lead time and horizon of a service narrow what is offered here, never what staff may book. An answer of too many starts is refused (`invalid_parameter`): ask for fewer days, a larger step or one staff member.',
    permission: PERMISSION,
    query: AVAILABILITY_QUERY,
    success: { status: 200, schema: Availability, description: 'Starts per staff member', cached: true },
    errors: ['unknown_reference', 'not_offered'],
    handler: readAssembled(availability),
  },
]);
