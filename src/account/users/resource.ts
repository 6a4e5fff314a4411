import { sql } from 'drizzle-orm';
import type { Resource } from '../../resources/resource.ts';
import { documentConditions, documentFilters, documentSorts, textSort } from '../../resources/row-sql.ts';
import { ROLES } from '../permissions.ts';
import { UserView, userNoun } from './noun.ts';

const table = sql`users`;

export const userResource: Resource = {
  ...userNoun,
  version: 1,
  writePermission: 'users:write',
  table,
  row: sql`to_jsonb(users)`,
  id: sql`users.id`,
  companyId: sql`users.company_id`,
  list: {
    filters: {
      status: {
        kind: 'enumList',
        values: ['ACTIVE', 'ARCHIVED'],
        description: 'One or several; archived users are shown only when asked for.',
      },
      role: { kind: 'enumList', values: ROLES, description: 'One or several.' },
      ...documentFilters,
    },
    sorts: ['createdAt', 'updatedAt', 'name', 'email'],
    fields: Object.keys(UserView.shape),
  },
  sorts: {
    ...documentSorts(table),
    name: textSort(table, 'name', false),
    email: textSort(table, 'email', false),
  },
  parts: ({ filters }) => ({
    column: sql`users.status`,
    // What is archived is out of sight until asked for by name.
    values: (filters.status as string[] | undefined) ?? ['ACTIVE'],
  }),
  filters: ({ filters }) => [
    ...(filters.role === undefined ? [] : [{ where: sql`users.role in ${filters.role}` }]),
    ...documentConditions(table, filters),
  ],
  listTags: () => ['users'],
  detailTags: (id) => [`users/${id}`],
};
