import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { user } from './resource.ts';
import { Invitation, UserArchive } from './schema.ts';
import { archiveUser, createUser, inviteUser, restoreUser, updateUser } from './verbs.ts';

export const userRoutes = routesBelow(['users'], () => [
  ...standardRoutes(user, {
    only: ['list', 'create', 'read', 'update', 'archive', 'restore'],
    list: { description: 'Archived users are shown only when asked for.' },
    create: {
      description:
        'Of a role not above your own; an API key makes only users whose role its scopes cover, and sets no passwords. Without a password the user comes in by invitation.',
      handler: createUser,
    },
    update: {
      description: 'Who stands no higher than you, to a role not above your own.',
      errors: ['not_found', 'version_mismatch', 'email_taken', 'external_id_taken', 'last_owner'],
      handler: updateUser,
    },
    archive: {
      description: 'Ends their sessions and revokes the API keys they made. Their address is free again.',
      body: UserArchive,
      optionalBody: true,
      errors: ['not_found', 'version_mismatch', 'last_owner'],
      handler: archiveUser,
    },
    restore: {
      description: 'They sign in as before.',
      errors: ['not_found', 'version_mismatch', 'email_taken'],
      handler: restoreUser,
    },
  }),
  {
    method: 'post',
    path: '/users/:id/invite',
    tag: user.tag,
    summary: 'Make an invitation',
    description:
      'A link with which the user sets a password, valid for 72 hours and once, and as long as whoever made it stands as high as the user. The latest one counts. An Idempotency-Key is ignored.',
    permission: user.writePermission,
    success: { status: 200, schema: Invitation, description: 'The token, shown this once' },
    ignoresKey: true,
    errors: ['not_found', 'version_mismatch'],
    handler: inviteUser,
  },
]);
