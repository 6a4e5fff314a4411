import * as z from 'zod';
import { BEYOND, isDate, isNear } from '../core/instant.ts';
import { givenInstant, reference, text, timeZone } from '../http/schemas.ts';
import type { WantedStart } from './start.ts';

// What bodies say of a booking: who does what, with what, and when.

const LOCAL = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$/;

export const startFields = () => ({
  startsAt: givenInstant().optional().describe('When it begins; or say `localStart`.'),
  localStart: z
    .string()
    .refine((value) => LOCAL.test(value) && isDate(value.slice(0, 10)), {
      message: 'Must be a local time without offset, such as 2026-01-31T09:00.',
      params: { code: 'invalid_format' },
      abort: true,
    })
    .refine(isNear, { message: BEYOND, params: { code: 'out_of_range' } })
    .optional()
    .describe('What the wall clock shows when it begins.'),
  timeZone: timeZone().optional().describe('Of `localStart`; the branch’s when absent.'),
  fold: z.enum(['EARLIER', 'LATER']).optional().describe('Which of two, where clocks show `localStart` twice.'),
});

export const workFields = () => ({
  branchId: reference(),
  staffId: reference().optional().describe('Who does what names nobody else.'),
  services: z
    .array(z.strictObject({ serviceId: reference(), staffId: reference().optional() }))
    .min(1, 'Must have at least one service.')
    .max(20, 'Must have at most 20 services.')
    .describe('In this order, one after the other.'),
  resources: z
    .array(z.strictObject({ kind: text(50), resourceId: reference().nullable().optional() }))
    .max(20, 'Must have at most 20 resources.')
    .optional()
    .describe('Particular ones; of what the services require the rest is chosen from what is free.'),
});

type Start = {
  startsAt?: string | undefined;
  localStart?: string | undefined;
  timeZone?: string | undefined;
  fold?: 'EARLIER' | 'LATER' | undefined;
};

/** That a body says when: by one of two ways, and nothing of the wall clock beside an instant. */
export function oneStart(body: Start, ctx: z.core.$RefinementCtx): void {
  clockAlone(body, ctx);
  const both = body.startsAt !== undefined && body.localStart !== undefined;
  if (!both && (body.startsAt !== undefined || body.localStart !== undefined)) return;
  ctx.addIssue({
    code: 'custom',
    path: [both ? 'localStart' : 'startsAt'],
    message: both ? 'Say either startsAt or localStart.' : 'Say when: startsAt or localStart.',
    params: { code: both ? 'conflict' : 'required' },
  });
}

/** What is said of the wall clock goes with `localStart` alone. */
export function clockAlone(body: Start, ctx: z.core.$RefinementCtx): void {
  if (body.localStart !== undefined) return;
  for (const name of ['timeZone', 'fold'] as const)
    if (body[name] !== undefined)
      ctx.addIssue({
        code: 'custom',
        path: [name],
        message: 'Goes with localStart alone.',
        params: { code: 'conflict' },
      });
}

/** The start that a body wants, and the zone it is told in where that is not the branch's. */
export type Told = { start: WantedStart; zone: string | null };

export const isToldBy = (body: Start): boolean => body.startsAt !== undefined || body.localStart !== undefined;

/** Of a body that says one, as `oneStart` has seen to. */
export function startOf(body: Start): Told {
  if (body.startsAt !== undefined) return { start: { startsAt: body.startsAt }, zone: null };
  return { start: { localStart: body.localStart ?? '', fold: body.fold }, zone: body.timeZone ?? null };
}
