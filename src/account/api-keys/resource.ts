import { sql } from 'drizzle-orm';
import type { Resource } from '../../resources/resource.ts';
import { documentConditions, documentFilters, documentSorts, textSort } from '../../resources/row-sql.ts';
import { ApiKeyView, apiKeyNoun } from './noun.ts';

const table = sql`api_keys`;

export const apiKeyResource: Resource = {
  ...apiKeyNoun,
  version: 1,
  writePermission: 'api-keys',
  table,
  row: sql`to_jsonb(api_keys)`,
  id: sql`api_keys.id`,
  companyId: sql`api_keys.company_id`,
  list: {
    filters: {
      isActive: { kind: 'boolean', description: 'False: the revoked ones, which are hidden otherwise.' },
      ...documentFilters,
    },
    sorts: ['createdAt', 'updatedAt', 'name'],
    fields: Object.keys(ApiKeyView.shape),
  },
  sorts: {
    ...documentSorts(table),
    name: textSort(table, 'name', false),
  },
  // What is revoked is out of sight until asked for. Said so that it becomes the predicate of the one index or the other.
  parts: ({ filters }) => ({ column: sql`(api_keys.revoked_at is null)`, values: [filters.isActive !== false] }),
  filters: ({ filters }) => documentConditions(table, filters),
  listTags: () => ['api-keys'],
  detailTags: (id) => [`api-keys/${id}`],
};
