import type { RouteModule } from '../../http/route.ts';
import { page } from '../../http/schemas.ts';
import { detail, list } from '../../resources/list.ts';
import { UserView } from './noun.ts';
import { userResource } from './resource.ts';
import { Invitation, UserArchive, UserCreate, UserPatch } from './schema.ts';
import { archiveUser, createUser, inviteUser, restoreUser, updateUser } from './service.ts';

const tag = 'Users';
const { permission, writePermission, list: declaration } = userResource;
const user = { schema: UserView, description: 'The user as it is now' };

export const userRoutes: RouteModule = [
  {
    method: 'get',
    path: '/users',
    tag,
    summary: 'List users',
    description: 'Archived users are shown only when asked for.',
    permission,
    list: declaration,
    success: { status: 200, schema: page(UserView), description: 'A page of users', cached: true },
    errors: ['use_cursor', 'invalid_cursor', 'cursor_mismatch'],
    handler: list(userResource),
  },
  {
    method: 'post',
    path: '/users',
    tag,
    summary: 'Create a user',
    description:
      'Of a role not above your own; an API key makes only users whose role its scopes cover, and sets no passwords. Without a password the user comes in by invitation.',
    permission: writePermission,
    body: UserCreate,
    success: { status: 201, schema: UserView, description: 'The new user' },
    errors: ['email_taken', 'external_id_taken'],
    handler: createUser,
  },
  {
    method: 'get',
    path: '/users/:id',
    tag,
    summary: 'Read a user',
    description: 'Archived ones too.',
    permission,
    fields: declaration.fields,
    success: { status: 200, schema: UserView, description: 'The user', cached: true },
    errors: ['not_found'],
    handler: detail(userResource),
  },
  {
    method: 'patch',
    path: '/users/:id',
    tag,
    summary: 'Change a user',
    description: 'Who stands no higher than you, to a role not above your own.',
    permission: writePermission,
    body: UserPatch,
    success: { status: 200, ...user },
    errors: ['not_found', 'version_mismatch', 'email_taken', 'external_id_taken', 'last_owner'],
    handler: updateUser,
  },
  {
    method: 'delete',
    path: '/users/:id',
    tag,
    summary: 'Archive a user',
    description: 'Ends their sessions and revokes the API keys they made. Their address is free again.',
    permission: writePermission,
    body: UserArchive,
    optionalBody: true,
    success: { status: 200, ...user },
    errors: ['not_found', 'version_mismatch', 'last_owner'],
    handler: archiveUser,
  },
  {
    method: 'post',
    path: '/users/:id/restore',
    tag,
    summary: 'Bring an archived user back',
    description: 'They sign in as before.',
    permission: writePermission,
    success: { status: 200, ...user },
    errors: ['not_found', 'version_mismatch', 'email_taken'],
    handler: restoreUser,
  },
  {
    method: 'post',
    path: '/users/:id/invite',
    tag,
    summary: 'Make an invitation',
    description:
      'A link with which the user sets a password, valid for 72 hours and once, and as long as whoever made it stands as high as the user. The latest one counts. An Idempotency-Key is ignored.',
    permission: writePermission,
    success: { status: 200, schema: Invitation, description: 'The token, shown this once' },
    ignoresKey: true,
    errors: ['not_found', 'version_mismatch'],
    handler: inviteUser,
  },
];
