import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { bodyOf, externalId, instant, password, patchOf, publicObject, text } from '../../http/schemas.ts';
import { userEmail } from '../email.ts';
import { ROLES } from '../permissions.ts';

export const UserCreate = bodyOf('UserCreate', { name: 'Ben Maier', email: 'ben@example.com', role: 'STAFF' }, () => ({
  name: text(),
  email: userEmail(),
  role: z.enum(ROLES),
  password: password().optional().describe('Without one the user comes in by invitation.'),
  externalId: externalId().nullable().optional(),
}));

export const UserPatch = patchOf('UserPatch', { role: 'MANAGER' }, () => ({
  name: text(),
  email: userEmail(),
  role: z.enum(ROLES),
  externalId: externalId().nullable(),
}));

export const UserArchive = bodyOf('UserArchive', { keepKeys: true }, () => ({
  keepKeys: z.boolean().optional().describe('True: the API keys this user made go on. Otherwise they are revoked.'),
}));

export const Invitation = lazy(() =>
  z
    .object({
      token: z.string().describe('Shown once. Whoever holds it sets the password at POST /auth/password/reset.'),
      expiresAt: instant('Until when it works.'),
    })
    .meta({ id: 'Invitation', examples: [{ token: 'cpl_…', expiresAt: '2026-03-05T09:30:00.000Z' }] }),
);

export const UserView = publicObject(
  'User',
  {
    id: 'usr_01h455vb4pex5vsknk084sn02q',
    name: 'Anna Huber',
    email: 'anna@example.com',
    role: 'OWNER',
    status: 'ACTIVE',
  },
  () => ({
    name: z.string().describe('Their full name.'),
    email: z.string().describe('What they sign in with.'),
    role: z.enum(ROLES).describe('What they may do.'),
    status: z.enum(['ACTIVE', 'ARCHIVED']).describe('Archived users cannot sign in.'),
  }),
);
