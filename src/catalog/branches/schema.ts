import * as z from 'zod';
import { documentFields, externalId, phone, text, timeZone } from '../../http/schemas.ts';
import { isCountry } from './countries.ts';
import { checkHours, date, hoursFields } from './hours.ts';

const addressFields = {
  line1: text(),
  line2: text().nullable().optional(),
  city: text(),
  postalCode: text(20),
  country: z.string().refine(isCountry, {
    message: 'Must be an ISO 3166-1 alpha-2 code such as AT.',
    params: { code: 'invalid_country' },
  }),
};

const openingHours = () =>
  z
    .array(z.strictObject(hoursFields))
    .max(200, 'Must have at most 200 intervals.')
    .superRefine((hours, ctx) =>
      checkHours(hours, (path, code, message) => ctx.addIssue({ code: 'custom', path, message, params: { code } })),
    );

const holidays = () =>
  z
    .array(z.strictObject({ date: date(), name: text() }))
    .max(500, 'Must have at most 500 days.')
    .superRefine((days, ctx) => {
      for (const [i, day] of days.entries()) {
        if (days.findIndex((other) => other.date === day.date) < i) {
          const params = { code: 'duplicate_value' };
          ctx.addIssue({ code: 'custom', path: [i, 'date'], message: 'Names this day twice.', params });
        }
      }
    });

export const BranchCreate = z
  .strictObject({
    name: text(),
    timeZone: timeZone(),
    address: z.strictObject(addressFields).nullable().optional(),
    phone: phone().nullable().optional(),
    isActive: z.boolean().optional(),
    openingHours: openingHours().nullable().optional(),
    holidays: holidays().nullable().optional(),
    externalId: externalId().nullable().optional(),
  })
  .meta({ id: 'BranchCreate' });

/** JSON Merge Patch (RFC 7396): the address is merged part by part, lists are replaced. */
export const BranchPatch = z
  .strictObject({
    name: text(),
    timeZone: timeZone(),
    address: z.strictObject(addressFields).partial().nullable(),
    phone: phone().nullable(),
    isActive: z.boolean(),
    openingHours: openingHours().nullable(),
    holidays: holidays().nullable(),
    externalId: externalId().nullable(),
  })
  .partial()
  .meta({ id: 'BranchPatch' });

const interval = z.object({
  weekday: z.int().describe('ISO: 1 Monday to 7 Sunday.'),
  start: z.string(),
  end: z.string().describe('Up to 24:00.'),
  validFrom: z.string().optional(),
  validTo: z.string().optional().describe('The last day, inclusive.'),
});

export const BranchView = z
  .object({
    id: z.string(),
    externalId: z.string().nullable(),
    name: z.string(),
    timeZone: z.string(),
    address: z
      .object({
        line1: z.string(),
        line2: z.string().optional(),
        city: z.string(),
        postalCode: z.string(),
        country: z.string(),
      })
      .nullable(),
    phone: z.string().nullable(),
    isActive: z.boolean(),
    openingHours: z.array(interval),
    holidays: z.array(z.object({ date: z.string(), name: z.string() })),
    ...documentFields,
  })
  .meta({ id: 'Branch' });
