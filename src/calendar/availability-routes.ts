import type { SQL } from 'drizzle-orm';
import * as z from 'zod';
import { DAY_MINUTES, instantTexts } from '../core/civil.ts';
import { AppError, type Fault } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import { lazy } from '../core/lazy.ts';
import { type Offsets, offsetsOf } from '../core/offsets.ts';
import type { RouteModule } from '../http/route.ts';
import { instant } from '../http/schemas.ts';
import { type ReadRoute, read, TTL } from '../resources/read.ts';
import { freeStarts, offeredUntil } from './availability.ts';
import { AVAILABILITY_QUERY, type AvailabilityQuery, parseAvailability, reachOf } from './availability-query.ts';
import { busyTags } from './busy-days.ts';
import { offers, type Service, type StaffMember } from './catalogue.ts';
import { type CatalogueRow, catalogueOf, catalogueQuery, type LoadedCatalogue } from './load-catalogue.ts';
import { partsOf } from './parts.ts';

/** `offsets` are those of the branch's zone, once they are known. */
type Found = CatalogueRow & { offsets?: Offsets };

const PERMISSION = 'appointments:read';

const availability: ReadRoute<AvailabilityQuery, readonly [SQL<Found>]> = {
  name: 'availability',
  version: 1,
  permission: PERMISSION,
  ttl: TTL.list,
  parse: parseAvailability,
  tags: (query) => [
    `branches/${query.branchId}`,
    ...new Set(query.serviceIds.map((id) => `services/${id}`)),
    query.staffId === null ? 'staff' : `staff/${query.staffId}`,
    ...['resources', 'time-off'],
    ...busyTags(reachOf(query), query),
  ],
  statements: ({ branchId, serviceIds, staffId, ...days }, { companyId }) => [
    catalogueQuery({
      ...{ companyId, branchId, serviceIds, staffIds: staffId === null ? null : [staffId] },
      ...{ ...reachOf(days), busy: true },
    }),
  ],
  async complete(_work, query, _principal, { rows: [[found]] }) {
    if (found === undefined || found.branch === null) return;
    const { first, last } = reachOf(query);
    found.offsets = await offsetsOf(found.branch.time_zone, first, last + 32 * DAY_MINUTES);
  },
  answer([[found]], query, _principal, c) {
    const { offsets } = found ?? {};
    const catalogue = found === undefined ? null : catalogueOf(found, 0);
    const { branch, services } = judged(catalogue, query);
    if (catalogue === null || offsets === undefined) throw new AppError('internal_error');
    const now = c.env.ctx.now();
    const staff = [...catalogue.staff.values()];
    const isOpen = branch.isActive && services.every(({ isActive }) => isActive);
    const free = freeStarts({
      ...{ branch, offsets, services, resources: catalogue.resources },
      staff: isOpen ? staff.filter((member) => fits(member, services)) : [],
      ...{ from: query.from, to: query.to, stepMinutes: query.stepMinutes, now },
      ...{ timeOff: catalogue.timeOff, busy: catalogue.busy },
    });
    const until = [catalogue.busyUntil, offeredUntil(services, offsets, now, free)].filter((at) => at !== null);
    const data = free.map(({ staffId, starts }) => ({
      staffId: formatId('stf', staffId),
      starts: instantTexts(starts),
    }));
    return { body: JSON.stringify({ data }), validUntil: until.length === 0 ? null : Math.min(...until) };
  },
};

/** What of the query is there, and whether the one who is asked for offers it. @throws AppError unknown_reference, not_offered */
function judged(
  catalogue: LoadedCatalogue | null,
  { serviceIds, staffId }: AvailabilityQuery,
): { branch: NonNullable<LoadedCatalogue['branch']>; services: Service[] } {
  const faults: Fault[] = [];
  const missing = (parameter: string): void => {
    faults.push({ parameter, code: 'unknown_reference', detail: 'There is no such object.' });
  };
  const services = serviceIds.flatMap((id) => catalogue?.services.get(id) ?? []);
  const branch = catalogue?.branch ?? null;
  const member = staffId === null ? null : (catalogue?.staff.get(staffId) ?? undefined);
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
  const parts = partsOf(services.map((service) => ({ service, staffId: member.id })));
  return (parts.at(-1)?.startOffsetMinutes ?? 0) <= DAY_MINUTES;
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

export const availabilityRoutes: RouteModule = [
  {
    method: 'get',
    path: '/availability',
    tag: 'Availability',
    summary: 'Free starts',
    description:
      'Honours hours, holidays, time off, buffers, processing, bookings, holds and resources. Lead time and horizon of a service narrow what is offered here, never what staff may book.',
    permission: PERMISSION,
    query: AVAILABILITY_QUERY,
    success: { status: 200, schema: Availability, description: 'Starts per staff member', cached: true },
    errors: ['unknown_reference', 'not_offered'],
    handler: read(availability),
  },
];
