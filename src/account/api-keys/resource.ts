import { sql } from 'drizzle-orm';
import type { ListQuery } from '../../core/list-query.ts';
import type { Resource } from '../../http/resource.ts';
import { ApiKeyView, apiKeyNoun } from './noun.ts';

function where({ filters }: ListQuery) {
  const { isActive, createdAfter, createdBefore, updatedAfter, externalId } = filters as Record<
    string,
    string | boolean | undefined
  >;
  // What is revoked is out of sight until asked for.
  const conditions = [isActive === false ? sql`api_keys.revoked_at is not null` : sql`api_keys.revoked_at is null`];
  if (createdAfter !== undefined) conditions.push(sql`api_keys.created_at > ${createdAfter}::timestamptz`);
  if (createdBefore !== undefined) conditions.push(sql`api_keys.created_at < ${createdBefore}::timestamptz`);
  if (updatedAfter !== undefined) conditions.push(sql`api_keys.updated_at > ${updatedAfter}::timestamptz`);
  if (externalId !== undefined) conditions.push(sql`api_keys.external_id = ${externalId}`);
  return conditions;
}

export const apiKeyResource: Resource = {
  noun: apiKeyNoun,
  prefix: 'key',
  version: 1,
  readPermission: 'api-keys',
  writePermission: 'api-keys',
  table: sql`api_keys`,
  row: sql`to_jsonb(api_keys)`,
  id: sql`api_keys.id`,
  companyId: sql`api_keys.company_id`,
  list: {
    filters: {
      isActive: { kind: 'boolean', description: 'False: the revoked ones, which are hidden otherwise.' },
      createdAfter: { kind: 'instant', description: 'Created after this instant.' },
      createdBefore: { kind: 'instant', description: 'Created before this instant.' },
      updatedAfter: { kind: 'instant', description: 'Changed after this instant: what to ask for to stay in step.' },
      externalId: { kind: 'text', description: 'Has this external id.' },
    },
    sorts: ['createdAt', 'updatedAt', 'name'],
    fields: Object.keys(ApiKeyView.shape),
  },
  sorts: {
    createdAt: { column: sql`api_keys.created_at`, type: 'timestamptz', nullable: false, property: 'created_at' },
    updatedAt: { column: sql`api_keys.updated_at`, type: 'timestamptz', nullable: false, property: 'updated_at' },
    name: { column: sql`api_keys.name`, type: 'text', nullable: false, property: 'name' },
  },
  where,
  listTags: () => ['api-keys'],
  detailTags: (id) => [`api-keys/${id}`],
};
