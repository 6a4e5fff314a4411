import * as z from 'zod';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { Change } from '../../data/log.ts';
import { type LoggedEntity, plainAction } from '../../data/registry.ts';
import { documentFields, exampleEnd, identityFields } from '../../http/schemas.ts';
import { ROLES } from '../permissions.ts';

export const UserView = z
  .object({
    ...identityFields,
    name: z.string().describe('Their full name.'),
    email: z.string().describe('What they sign in with.'),
    role: z.enum(ROLES).describe('What they may do.'),
    status: z.enum(['ACTIVE', 'ARCHIVED']).describe('Archived users cannot sign in.'),
    ...documentFields,
  })
  .meta({
    id: 'User',
    examples: [
      {
        id: 'usr_01h455vb4pex5vsknk084sn02q',
        externalId: null,
        name: 'Anna Huber',
        email: 'anna@example.com',
        role: 'OWNER',
        status: 'ACTIVE',
        ...exampleEnd,
      },
    ],
  });

function action(change: Change): string {
  const { before, after } = change;
  if (before === null || after === null || before.status === after.status) return plainAction(change);
  return after.status === 'ARCHIVED' ? 'archived' : 'restored';
}

export const userNoun: LoggedEntity = {
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
  actions: ['archived', 'restored'],
};
