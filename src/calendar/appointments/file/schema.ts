import * as z from 'zod';
import { lazy } from '../../../core/lazy.ts';
import { money } from '../../../http/money.ts';
import { externalId, givenInstant, notes, reference, text } from '../../../http/schemas.ts';
import { startFields } from '../../wanted.ts';
import { APPOINTMENT_STATUSES } from '../table.ts';

// Appointments as files tell them: what was, wherever it was kept before. An empty cell is null, which says nothing but where
// there is something to clear.

const byName = () => externalId().nullable().optional();
const byId = () => reference().nullable().optional();
const minutes = (least: number) =>
  z.int().min(least, `Must be at least ${least}.`).max(1440, 'Must be at most 1440.').optional();

/** A service as it was booked: what is not said is as the catalogue has it. */
const line = () =>
  z.strictObject({
    serviceId: byId(),
    serviceExternalId: byName(),
    staffId: byId(),
    staffExternalId: byName(),
    name: text().optional(),
    startOffsetMinutes: minutes(0),
    durationMinutes: minutes(1),
    bufferBeforeMinutes: minutes(0),
    bufferAfterMinutes: minutes(0),
    processing: z
      .array(z.strictObject({ afterMinutes: z.int().min(0), minutes: z.int().min(1) }))
      .max(10)
      .optional(),
    price: money(0).nullable().optional(),
    taxes: z
      .array(z.strictObject({ name: text(50), rateBasisPoints: z.int().min(0).max(10_000) }))
      .max(10)
      .optional(),
  });

const step = () =>
  z.strictObject({
    status: z.enum(APPOINTMENT_STATUSES),
    at: givenInstant(),
    by: text(100).nullable().optional(),
    reason: text(500).nullable().optional(),
  });

const start = () => {
  const { startsAt, localStart, timeZone, fold } = startFields();
  return {
    startsAt: startsAt.nullable().optional(),
    localStart: localStart.nullable().optional(),
    timeZone: timeZone.nullable().optional(),
    fold: fold.nullable().optional(),
  };
};

export const AppointmentFile = lazy(() =>
  z
    .strictObject({
      externalId: externalId(),
      branchId: byId(),
      branchExternalId: byName(),
      staffId: byId(),
      staffExternalId: byName(),
      clientId: byId(),
      clientExternalId: byName(),
      services: z
        .array(line())
        .min(1, 'Must have at least one service.')
        .max(20, 'Must have at most 20 services.')
        .nullable()
        .optional(),
      serviceExternalIds: z.array(externalId()).max(20, 'Must have at most 20 services.').nullable().optional(),
      resources: z
        .array(z.strictObject({ kind: text(50), resourceId: byId(), resourceExternalId: byName() }))
        .max(20, 'Must have at most 20 resources.')
        .nullable()
        .optional(),
      ...start(),
      durationMinutes: minutes(1).nullable(),
      status: z.enum(APPOINTMENT_STATUSES).nullable().optional(),
      statusReason: text(500).nullable().optional(),
      statusHistory: z.array(step()).max(50, 'Must have at most 50 entries.').nullable().optional(),
      notes: notes().nullable().optional(),
      price: money(0).nullable().optional(),
      allowOverlap: z.boolean().nullable().optional(),
    })
    .superRefine((row, ctx) => {
      const fault = (path: (string | number)[], code: string, message: string): void =>
        ctx.addIssue({ code: 'custom', path, message, params: { code } });
      if (row.services && row.serviceExternalIds?.length)
        fault(['serviceExternalIds'], 'conflict', 'Say either services or serviceExternalIds.');
      if (row.durationMinutes != null && (row.services?.length ?? row.serviceExternalIds?.length ?? 1) > 1)
        fault(['durationMinutes'], 'conflict', 'Of several services each says its own.');
      for (const [i, each] of (row.services ?? []).entries())
        if ((each.serviceExternalId ?? each.serviceId) == null)
          fault(['services', i, 'serviceExternalId'], 'required', 'This field is required.');
      const last = row.statusHistory?.at(-1)?.status;
      if (last !== undefined && row.status != null && row.status !== last)
        fault(['statusHistory'], 'conflict', 'Must end with the status.');
    }),
);
export type FileRow = z.output<ReturnType<typeof AppointmentFile>>;
