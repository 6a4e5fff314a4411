import { sql } from 'drizzle-orm';
import type { Resource } from '../../resources/resource.ts';
import { documentConditions, documentFilters, documentSorts, textSort } from '../../resources/row-sql.ts';
import { branchNoun } from './noun.ts';
import { BranchView } from './schema.ts';

const table = sql`branches`;

export const branchResource: Resource = {
  ...branchNoun,
  version: 1,
  writePermission: 'catalog:write',
  table,
  row: sql`to_jsonb(branches)`,
  id: sql`branches.id`,
  companyId: sql`branches.company_id`,
  list: {
    filters: {
      isActive: { kind: 'boolean', description: 'Archived branches are shown only when asked for with `false`.' },
      ...documentFilters,
    },
    sorts: ['createdAt', 'updatedAt', 'name'],
    fields: Object.keys(BranchView.shape),
  },
  sorts: { ...documentSorts(table), name: textSort(table, 'name', false) },
  parts: ({ filters }) => ({ column: sql`branches.is_active`, values: [filters.isActive !== false] }),
  filters: ({ filters }) => documentConditions(table, filters),
  listTags: () => ['branches'],
  detailTags: (id) => [`branches/${id}`],
};
