import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { money, moneyView } from '../../http/money.ts';
import { documentFields, exampleEnd, externalId, identityFields, reference, text } from '../../http/schemas.ts';

const MONEY = { amount: 4500, currency: 'EUR' };
const TAX = { name: 'USt', rateBasisPoints: 2000 };

const DAY = 1440;
const minutes = (least: number, most: number = DAY) =>
  z.int().min(least, `Must be at least ${least}.`).max(most, `Must be at most ${most}.`);

const taxes = () =>
  z
    .array(
      z.strictObject({
        name: text(50),
        rateBasisPoints: z.int().min(0, 'Must not be negative.').max(10_000, 'Must be at most 10000.'),
      }),
    )
    .max(10, 'Must have at most 10 taxes.');
const processing = () =>
  z.array(z.strictObject({ afterMinutes: minutes(0), minutes: minutes(1) })).max(10, 'Must have at most 10 entries.');
const term = () =>
  z.strictObject({ staffId: reference(), price: money(0).optional(), durationMinutes: minutes(1).optional() });
const terms = () => z.array(term()).max(500, 'Must have at most 500 entries.').superRefine(oncePerMember);

type Term = { staffId?: string | undefined; staffExternalId?: string | null | undefined };

function oncePerMember(list: readonly Term[], ctx: z.core.$RefinementCtx): void {
  const whose = ({ staffId, staffExternalId }: Term): string | undefined => staffExternalId ?? staffId;
  const fault = (at: number, code: string, message: string): void =>
    ctx.addIssue({ code: 'custom', path: [at, 'staffId'], message, params: { code } });
  for (const [i, each] of list.entries()) {
    if (whose(each) === undefined) fault(i, 'required', 'This field is required.');
    else if (list.findIndex((other) => whose(other) === whose(each)) < i)
      fault(i, 'duplicate_value', 'Names this staff member twice.');
  }
}

const fields = () => ({
  name: text(),
  code: text(50).nullable().optional(),
  category: text().nullable().optional(),
  durationMinutes: minutes(1),
  bufferBeforeMinutes: minutes(0).nullable().optional(),
  bufferAfterMinutes: minutes(0).nullable().optional(),
  processing: processing().nullable().optional(),
  requires: z.array(text(50)).max(20, 'Must have at most 20 kinds.').nullable().optional(),
  price: money(0).nullable().optional(),
  taxes: taxes().nullable().optional(),
  isActive: z.boolean().optional(),
  staff: terms().nullable().optional(),
  leadTimeMinutes: minutes(0, 525_600).nullable().optional(),
  horizonDays: z.int().min(0, 'Must not be negative.').max(3660, 'Must be at most 3660.').nullable().optional(),
  externalId: externalId().nullable().optional(),
});

export const ServiceCreate = lazy(() =>
  z
    .strictObject(fields())
    .meta({ id: 'ServiceCreate', examples: [{ name: 'Cut', durationMinutes: 45, price: MONEY, taxes: [TAX] }] }),
);

/** JSON Merge Patch (RFC 7396): lists are replaced, and so is the price. */
export const ServicePatch = lazy(() =>
  z
    .strictObject({ ...fields(), name: text().optional(), durationMinutes: minutes(1).optional() })
    .meta({ id: 'ServicePatch', examples: [{ durationMinutes: 60, price: null }] }),
);

/** What files say otherwise: terms name their staff member by either id. */
export const ServiceFile = lazy(() =>
  z.object({
    staff: z
      .array(term().partial({ staffId: true }).extend({ staffExternalId: externalId().nullable().optional() }))
      .max(500, 'Must have at most 500 entries.')
      .superRefine(oncePerMember)
      .nullable()
      .optional(),
  }),
);

export const ServiceView = lazy(() =>
  z
    .object({
      ...identityFields(),
      name: z.string().describe('What it is called.'),
      code: z.string().nullable().describe('A short name of your own.'),
      category: z.string().nullable().describe('How it is grouped.'),
      durationMinutes: z.int().describe('How long the client stays.'),
      bufferBeforeMinutes: z.int().describe('Kept free before it.'),
      bufferAfterMinutes: z.int().describe('Kept free after it.'),
      processing: z
        .array(z.object({ afterMinutes: z.int(), minutes: z.int() }))
        .describe('While the client stays and the staff member is free.'),
      requires: z.array(z.string()).describe('Kinds of resource it occupies throughout; one named twice needs two.'),
      price: moneyView('Of the whole service; null: told on the day.').nullable(),
      taxes: z.array(z.object({ name: z.string(), rateBasisPoints: z.int() })).describe('Each in basis points.'),
      isActive: z.boolean().describe('False: archived.'),
      staff: z
        .array(
          z.object({
            staffId: z.string(),
            price: moneyView('Theirs, where it is another one.').optional(),
            durationMinutes: z.int().optional(),
          }),
        )
        .describe('Terms of single staff members, who offer it by having them.'),
      leadTimeMinutes: z.int().nullable().describe('Offered no sooner than in so many minutes.'),
      horizonDays: z.int().nullable().describe('Offered no further ahead.'),
      ...documentFields(),
    })
    .meta({
      id: 'Service',
      examples: [
        {
          id: 'svc_01h455vb4pex5vsknk084sn02q',
          externalId: 'cut',
          name: 'Cut',
          code: null,
          category: 'Hair',
          durationMinutes: 45,
          bufferBeforeMinutes: 0,
          bufferAfterMinutes: 5,
          processing: [],
          requires: ['CHAIR'],
          price: MONEY,
          taxes: [TAX],
          isActive: true,
          staff: [],
          leadTimeMinutes: null,
          horizonDays: 90,
          ...exampleEnd,
        },
      ],
    }),
);
