import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { LoggedEntity } from '../../data/registry.ts';
import { plainAction } from '../../data/registry.ts';
import { documentFields, exampleEnd, externalId, identityFields, text, timeZone } from '../../http/schemas.ts';
import type { Resource } from '../../resources/resource.ts';

export const CompanyView = z
  .object({
    ...identityFields,
    name: z.string().describe('What it is called.'),
    currency: z.string().describe('ISO 4217; stays as at sign-up.'),
    timeZone: z.string().describe('IANA.'),
    ...documentFields,
  })
  .meta({
    id: 'Company',
    examples: [
      {
        id: 'comp_01h455vb4pex5vsknk084sn02q',
        externalId: null,
        name: 'Salon Huber',
        currency: 'EUR',
        timeZone: 'Europe/Vienna',
        ...exampleEnd,
      },
    ],
  });

/** The currency stays what it was at sign-up: amounts that were booked in it would change their meaning. */
export const CompanyPatch = z
  .strictObject({ name: text(), timeZone: timeZone(), externalId: externalId().nullable() })
  .partial()
  .meta({ id: 'CompanyPatch', examples: [{ name: 'Salon Huber & Töchter' }] });

export const companyNoun: LoggedEntity = {
  entity: 'company',
  topic: 'company',
  prefix: 'comp',
  permission: 'company:read',
  view: (row) => ({
    id: formatId('comp', String(row.id)),
    externalId: row.external_id ?? null,
    name: row.name,
    currency: row.currency,
    timeZone: row.time_zone,
    version: row.version,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
  }),
  tagsTouched: () => ['company'],
  action: plainAction,
};

export const companyResource: Resource = {
  ...companyNoun,
  version: 1,
  writePermission: 'company:write',
  table: sql`companies`,
  row: sql`to_jsonb(companies)`,
  id: sql`companies.id`,
  companyId: sql`companies.id`,
  list: {
    filters: {},
    sorts: [],
    fields: ['externalId', 'name', 'currency', 'timeZone', 'version', 'createdAt', 'updatedAt'],
  },
  sorts: {},
  filters: () => [],
  listTags: () => ['company'],
  detailTags: () => ['company'],
};
