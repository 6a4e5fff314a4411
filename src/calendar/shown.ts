import * as z from 'zod';
import { AppError } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import { lazy } from '../core/lazy.ts';
import type { Occupied, Part } from './parts.ts';
import { Away, type Hindrance } from './presence.ts';

// Parts and resources of bookings as answers show them: with public ids.

export const partsShown = (parts: readonly Part[]): unknown[] =>
  parts.map((part) => ({
    ...part,
    serviceId: formatId('svc', part.serviceId),
    staffId: formatId('stf', part.staffId),
  }));

export const occupiedShown = (resources: readonly Occupied[]): unknown[] =>
  resources.map(({ kind, resourceId }) => ({ kind, resourceId: resourceId && formatId('rsrc', resourceId) }));

/** Local time as bodies take it: `2026-11-01T01:30`. */
export const localShown = (row: { local_date: string; local_start: string }): string =>
  `${row.local_date}T${row.local_start.slice(0, 5)}`;

const hindranceShown = (hindrance: Hindrance): Record<string, unknown> => {
  if ('staffId' in hindrance) return { staffId: formatId('stf', hindrance.staffId) };
  return 'resourceId' in hindrance ? { resourceId: formatId('rsrc', hindrance.resourceId) } : { kind: hindrance.kind };
};

/** A refusal that says more; whom it names by uuid it names as everybody outside knows them. */
export function saying(error: AppError, more: Record<string, unknown>): AppError {
  const absent = error instanceof Away ? { absent: error.absent.map(hindranceShown) } : {};
  const extra = { ...error.extra, ...absent, ...more };
  return new AppError(error.code, error.message, { faults: [...error.faults], extra, cause: error.cause });
}

const money = () => z.object({ amount: z.int().describe('Minor units.'), currency: z.string() });

export const priceView = () => money().nullable().describe('Of all services; null: told on the day.');

export const partView = lazy(() =>
  z
    .object({
      serviceId: z.string(),
      staffId: z.string().describe('Who does it.'),
      name: z.string().describe('What it was called when it was booked.'),
      startOffsetMinutes: z.int().describe('Minutes after the start.'),
      durationMinutes: z.int(),
      bufferBeforeMinutes: z.int(),
      bufferAfterMinutes: z.int(),
      processing: z.array(z.object({ afterMinutes: z.int(), minutes: z.int() })),
      price: money().nullable(),
      taxes: z.array(z.object({ name: z.string(), rateBasisPoints: z.int() })),
    })
    .meta({
      id: 'BookedService',
      description: 'A service as it was booked: what becomes of it later changes nothing here.',
    }),
);

export const occupiedView = lazy(() =>
  z
    .object({
      kind: z.string(),
      resourceId: z.string().nullable().describe('Null while nothing is occupied.'),
    })
    .meta({ id: 'BookedResource', description: 'What the booking occupies throughout.' }),
);

/** In examples. */
export const PART = {
  serviceId: 'svc_01h455vb4pex5vsknk084sn02q',
  staffId: 'stf_01h455vb4pex5vsknk084sn02q',
  name: 'Cut',
  startOffsetMinutes: 0,
  durationMinutes: 45,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 10,
  processing: [],
  price: { amount: 4500, currency: 'EUR' },
  taxes: [{ name: 'USt', rateBasisPoints: 2000 }],
};
