import { sql } from 'drizzle-orm';
import { routesBelow } from '../../http/route.ts';
import { detail } from '../../resources/list.ts';
import { sameVersion } from '../../resources/row-sql.ts';
import { updateOf } from '../../resources/verbs.ts';
import { company } from './resource.ts';

export const companyRoutes = routesBelow(['company'], () => [
  {
    method: 'get',
    path: '/company',
    tag: company.tag,
    summary: 'The company of the caller',
    description: 'Every caller belongs to one.',
    detail: company.list,
    success: { status: 200, schema: company.shown, description: 'The company', cached: true },
    errors: [],
    handler: detail(company, { own: (principal) => principal.companyId }),
  },
  {
    method: 'patch',
    path: '/company',
    tag: company.tag,
    summary: 'Change the company',
    description: 'JSON Merge Patch (RFC 7396). The currency stays what it was at sign-up.',
    permission: company.writePermission,
    body: company.patch,
    success: { status: 200, schema: company.shown, description: 'The company as it is now' },
    errors: ['version_mismatch'],
    handler: updateOf(company, {
      target: 'own',
      expect: ({ companyId, expected }) =>
        sql`select ${sameVersion(expected)} from companies where id = ${companyId}::uuid`,
    }),
  },
]);
