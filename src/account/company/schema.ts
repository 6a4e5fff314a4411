import * as z from 'zod';
import { externalId, patchOf, publicObject, text, timeZone } from '../../http/schemas.ts';

export const CompanyView = publicObject(
  'Company',
  {
    id: 'comp_01h455vb4pex5vsknk084sn02q',
    name: 'Salon Huber',
    currency: 'EUR',
    timeZone: 'Europe/Vienna',
    pricesIncludeTax: true,
  },
  () => ({
    name: z.string().describe('What it is called.'),
    currency: z.string().describe('ISO 4217; stays as at sign-up.'),
    timeZone: z.string().describe('IANA.'),
    pricesIncludeTax: z
      .boolean()
      .describe('Whether prices contain their taxes. Invoices keep what was so when they were made.'),
  }),
);

/** The currency stays what it was at sign-up: amounts that were booked in it would change their meaning. */
export const CompanyPatch = patchOf('CompanyPatch', { name: 'Salon Huber & Töchter' }, () => ({
  name: text(),
  timeZone: timeZone(),
  pricesIncludeTax: z.boolean(),
  externalId: externalId().nullable(),
}));
