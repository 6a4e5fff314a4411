import * as z from 'zod';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { Change } from '../../data/log.ts';
import { type Noun, plainAction } from '../../data/registry.ts';
import { documentFields } from '../../http/schemas.ts';
import { ROLES } from '../permissions.ts';

export const UserView = z
  .object({
    id: z.string(),
    externalId: z.string().nullable(),
    name: z.string(),
    email: z.string(),
    role: z.enum(ROLES),
    status: z.enum(['ACTIVE', 'ARCHIVED']),
    ...documentFields,
  })
  .meta({ id: 'User' });

function action(change: Change): string {
  const { before, after } = change;
  if (before === null || after === null || before.status === after.status) return plainAction(change);
  return after.status === 'ARCHIVED' ? 'archived' : 'restored';
}

export const userNoun: Noun = {
  entity: 'user',
  topic: 'users',
  prefix: 'usr',
  permission: 'users:read',
  view: (row) => ({
    id: formatId('usr', String(row.id)),
    externalId: row.external_id ?? null,
    name: row.name,
    email: row.email,
    role: row.role,
    status: row.status,
    version: row.version,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
  }),
  tagsTouched: ({ entityId }) => ['users', `users/${entityId}`],
  action,
};
