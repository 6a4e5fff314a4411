import * as z from 'zod';
import { externalId, instant, password, text } from '../../http/schemas.ts';
import { userEmail } from '../email.ts';
import { ROLES } from '../permissions.ts';

export const UserCreate = z
  .strictObject({
    name: text(),
    email: userEmail(),
    role: z.enum(ROLES),
    password: password().optional().describe('Without one the user comes in by invitation.'),
    externalId: externalId().nullable().optional(),
  })
  .meta({ id: 'UserCreate', examples: [{ name: 'Ben Maier', email: 'ben@example.com', role: 'STAFF' }] });

/** JSON Merge Patch (RFC 7396). */
export const UserPatch = z
  .strictObject({ name: text(), email: userEmail(), role: z.enum(ROLES), externalId: externalId().nullable() })
  .partial()
  .meta({ id: 'UserPatch', examples: [{ role: 'MANAGER' }] });

export const UserArchive = z
  .strictObject({
    keepKeys: z.boolean().optional().describe('True: the API keys this user made go on. Otherwise they are revoked.'),
  })
  .meta({ id: 'UserArchive', examples: [{ keepKeys: true }] });

export const Invitation = z
  .object({
    token: z.string().describe('Shown once. Whoever holds it sets the password at POST /auth/password/reset.'),
    expiresAt: instant('Until when it works.'),
  })
  .meta({ id: 'Invitation', examples: [{ token: 'cpl_…', expiresAt: '2026-03-05T09:30:00.000Z' }] });
