import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import {
  bodyOf,
  exampleOf,
  externalId,
  givenInstant,
  instant,
  patchOf,
  publicObject,
  text,
} from '../../http/schemas.ts';
import { SCOPES } from '../permissions.ts';

/** An instant that has not come yet, as UTC text. */
const later = () =>
  givenInstant().refine((value) => Date.parse(value) > Date.now(), {
    message: 'Must lie in the future.',
    params: { code: 'invalid_instant' },
  });

export const ApiKeyCreate = bodyOf(
  'ApiKeyCreate',
  { name: 'Web shop', scopes: ['clients:read', 'clients:write'] },
  () => ({
    name: text().describe('What it is for.'),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1, 'Must name at least one scope.')
      .max(100, 'Must name at most 100 scopes.')
      // In public order and once each, so that equal keys look equal.
      .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope)))
      .describe('What the key may do; at most what its creator may. `write` includes `read`.'),
    expiresAt: later().nullable().optional().describe('Absent or null: it lives until it is revoked.'),
    externalId: externalId().nullable().optional(),
  }),
);

/** What a key may do never changes: make another one. */
export const ApiKeyPatch = patchOf('ApiKeyPatch', { name: 'New web shop' }, () => ({
  name: text(),
  externalId: externalId().nullable(),
}));

const apiKeyExample = {
  id: 'key_01h455vb4pex5vsknk084sn02q',
  name: 'Web shop',
  scopes: ['clients:read', 'clients:write'],
  createdBy: 'usr_01h455vb4pex5vsknk084sn02q',
  isActive: true,
  expiresAt: null,
  revokedAt: null,
};

export const ApiKeyView = publicObject('ApiKey', apiKeyExample, () => ({
  name: z.string().describe('What it is for.'),
  scopes: z.array(z.enum(SCOPES)).describe('What it may do.'),
  createdBy: z.string().nullable().describe('The user or key that made it.'),
  isActive: z.boolean().describe('False once it is revoked. A key that is over by its date keeps it: see expiresAt.'),
  expiresAt: instant('Until when it lives.').nullable(),
  revokedAt: instant('When it was revoked.').nullable(),
}));

export const ApiKeyCreated = lazy(() =>
  ApiKeyView()
    .extend({
      secret: z.string().describe('Shown this once. Send it as Authorization: Bearer.'),
    })
    .meta({ id: 'ApiKeyCreated', examples: [{ ...exampleOf(apiKeyExample), secret: 'cpk_…' }] }),
);
