import { withMembers } from '../../core/lazy.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { CompanyPatch, CompanyView } from './schema.ts';
import { companies } from './table.ts';

/** There is one, and it is the caller's. */
export const company = withMembers(
  tenantResource(companies, {
    entity: 'company',
    topic: 'company',
    prefix: 'comp',
    permission: 'company',
    view: CompanyView,
    patch: CompanyPatch,
    // Before there was the column nobody's did.
    computed: { pricesIncludeTax: (row) => row.prices_include_tax ?? false },
  }),
  {
    list: {
      filters: {},
      sorts: [],
      fields: ['externalId', 'name', 'currency', 'timeZone', 'pricesIncludeTax', 'version', 'createdAt', 'updatedAt'],
    },
    tagsTouched: () => ['company'],
    detailTags: () => ['company'],
  },
);
