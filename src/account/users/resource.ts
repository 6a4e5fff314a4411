import { byStatus } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { ROLES } from '../permissions.ts';
import { UserCreate, UserPatch, UserView } from './schema.ts';
import { users } from './table.ts';

export const user = tenantResource(users, {
  entity: 'user',
  prefix: 'usr',
  permission: 'users',
  view: UserView,
  create: UserCreate,
  patch: UserPatch,
  archive: byStatus('status'),
  filters: { role: { kind: 'enumList', values: ROLES, description: 'One or several.' } },
  sorts: ['name', 'email'],
  constraints: { users_email: { code: 'email_taken', pointer: '/email', detail: 'This e-mail address is taken.' } },
});
