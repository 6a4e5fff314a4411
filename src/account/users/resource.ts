import { sql } from 'drizzle-orm';
import type { ListQuery } from '../../core/list-query.ts';
import type { Resource } from '../../http/resource.ts';
import { ROLES } from '../permissions.ts';
import { UserView, userNoun } from './noun.ts';

function where({ filters }: ListQuery) {
  const { status, role, createdAfter, createdBefore, updatedAfter, externalId } = filters as Record<
    string,
    string | string[] | undefined
  >;
  const conditions = [];
  // What is archived is out of sight until asked for by name.
  if (status === undefined) conditions.push(sql`users.status <> 'ARCHIVED'`);
  else conditions.push(sql`users.status in ${status}`);
  if (role !== undefined) conditions.push(sql`users.role in ${role}`);
  if (createdAfter !== undefined) conditions.push(sql`users.created_at > ${createdAfter}::timestamptz`);
  if (createdBefore !== undefined) conditions.push(sql`users.created_at < ${createdBefore}::timestamptz`);
  if (updatedAfter !== undefined) conditions.push(sql`users.updated_at > ${updatedAfter}::timestamptz`);
  if (externalId !== undefined) conditions.push(sql`users.external_id = ${externalId}`);
  return conditions;
}

export const userResource: Resource = {
  noun: userNoun,
  prefix: 'usr',
  version: 1,
  readPermission: 'users:read',
  writePermission: 'users:write',
  table: sql`users`,
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
      createdAfter: { kind: 'instant', description: 'Created after this instant.' },
      createdBefore: { kind: 'instant', description: 'Created before this instant.' },
      updatedAfter: { kind: 'instant', description: 'Changed after this instant: what to ask for to stay in step.' },
      externalId: { kind: 'text', description: 'Has this external id.' },
    },
    sorts: ['createdAt', 'updatedAt', 'name', 'email'],
    fields: Object.keys(UserView.shape),
  },
  sorts: {
    createdAt: { column: sql`users.created_at`, type: 'timestamptz', nullable: false, property: 'created_at' },
    updatedAt: { column: sql`users.updated_at`, type: 'timestamptz', nullable: false, property: 'updated_at' },
    name: { column: sql`users.name`, type: 'text', nullable: false, property: 'name' },
    email: { column: sql`users.email`, type: 'text', nullable: false, property: 'email' },
  },
  where,
  listTags: () => ['users'],
  detailTags: (id) => [`users/${id}`],
};
