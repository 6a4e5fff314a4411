import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { bodyOf, date, externalId, phone, publicObject, text, timeZone } from '../../http/schemas.ts';
import { isCountry } from './countries.ts';
import { hours, hoursView } from './hours.ts';

const ADDRESS = { line1: 'Hauptstraße 1', city: 'Wien', postalCode: '1010', country: 'AT' };
const HOURS = { weekday: 1, start: '09:00', end: '17:00' };

const addressFields = () => ({
  line1: text(),
  line2: text().nullable().optional(),
  city: text(),
  postalCode: text(20),
  country: z.string().refine(isCountry, {
    message: 'Must be an ISO 3166-1 alpha-2 code such as AT.',
    params: { code: 'invalid_country' },
  }),
});

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

export const BranchCreate = bodyOf(
  'BranchCreate',
  { name: 'Mitte', timeZone: 'Europe/Vienna', address: ADDRESS, openingHours: [HOURS] },
  () => ({
    name: text(),
    timeZone: timeZone(),
    address: z.strictObject(addressFields()).nullable().optional(),
    phone: phone().nullable().optional(),
    isActive: z.boolean().optional(),
    openingHours: hours().nullable().optional(),
    holidays: holidays().nullable().optional(),
    externalId: externalId().nullable().optional(),
  }),
);

/** JSON Merge Patch (RFC 7396): the address is merged part by part, lists are replaced. */
export const BranchPatch = lazy(() =>
  BranchCreate()
    .extend({ address: z.strictObject(addressFields()).partial().nullable() })
    .partial()
    .meta({ id: 'BranchPatch', examples: [{ phone: '+4312345678', address: { line2: null } }] }),
);

export const BranchView = publicObject(
  'Branch',
  {
    id: 'brch_01h455vb4pex5vsknk084sn02q',
    externalId: 'mitte',
    name: 'Mitte',
    timeZone: 'Europe/Vienna',
    address: ADDRESS,
    phone: '+4312345678',
    isActive: true,
    openingHours: [HOURS],
    holidays: [{ date: '2026-12-25', name: 'Christmas' }],
  },
  () => ({
    name: z.string().describe('What it is called.'),
    timeZone: z.string().describe('IANA.'),
    address: z
      .object({
        line1: z.string(),
        line2: z.string().optional(),
        city: z.string(),
        postalCode: z.string(),
        country: z.string(),
      })
      .nullable()
      .describe('Where it is.'),
    phone: z.string().nullable().describe('E.164.'),
    isActive: z.boolean().describe('False: archived.'),
    openingHours: z.array(hoursView()).describe('None: always open.'),
    holidays: z.array(z.object({ date: z.string(), name: z.string() })).describe('Days it is closed.'),
  }),
);
