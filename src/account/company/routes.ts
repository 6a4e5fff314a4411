import { sql } from 'drizzle-orm';
import type { RouteModule } from '../../http/route.ts';
import { detail } from '../../resources/list.ts';
import { sameVersion } from '../../resources/row-sql.ts';
import { change } from '../../resources/write.ts';
import { CompanyPatch, CompanyView, companyResource } from './resource.ts';

const update = change({
  resource: companyResource,
  name: 'company.update',
  body: CompanyPatch,
  target: 'own',
  status: 200,
  statements({ companyId, body, expected }) {
    return [
      sql`select ${sameVersion(sql`version`, expected)} from companies where id = ${companyId}::uuid`,
      sql`update companies set name = coalesce(${body.name ?? null}, name), time_zone = coalesce(${body.timeZone ?? null}, time_zone),
        external_id = ${body.externalId === undefined ? sql`external_id` : sql`${body.externalId}::text`} where id = ${companyId}::uuid`,
    ];
  },
});

export const companyRoutes: RouteModule = [
  {
    method: 'get',
    path: '/company',
    tag: 'Company',
    summary: 'The company of the caller',
    description: 'Every caller belongs to one.',
    fields: companyResource.list.fields,
    success: { status: 200, schema: CompanyView, description: 'The company', cached: true },
    errors: [],
    handler: detail(companyResource, (principal) => principal.companyId),
  },
  {
    method: 'patch',
    path: '/company',
    tag: 'Company',
    summary: 'Change the company',
    description: 'JSON Merge Patch (RFC 7396). The currency stays what it was at sign-up.',
    permission: companyResource.writePermission,
    body: CompanyPatch,
    success: { status: 200, schema: CompanyView, description: 'The company as it is now' },
    errors: ['version_mismatch'],
    handler: update,
  },
];
