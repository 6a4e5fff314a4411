import * as z from 'zod';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { Change } from '../../data/log.ts';
import { type LoggedEntity, plainAction } from '../../data/registry.ts';
import { documentFields, exampleEnd, identityFields, instant } from '../../http/schemas.ts';
import { SCOPES } from '../permissions.ts';

export const apiKeyExample = {
  id: 'key_01h455vb4pex5vsknk084sn02q',
  externalId: null,
  name: 'Web shop',
  scopes: ['clients:read', 'clients:write'],
  createdBy: 'usr_01h455vb4pex5vsknk084sn02q',
  isActive: true,
  expiresAt: null,
  revokedAt: null,
  ...exampleEnd,
};

export const ApiKeyView = z
  .object({
    ...identityFields,
    name: z.string().describe('What it is for.'),
    scopes: z.array(z.enum(SCOPES)).describe('What it may do.'),
    createdBy: z.string().nullable().describe('The user or key that made it.'),
    isActive: z.boolean().describe('False once it is revoked. A key that is over by its date keeps it: see expiresAt.'),
    expiresAt: instant('Until when it lives.').nullable(),
    revokedAt: instant('When it was revoked.').nullable(),
    ...documentFields,
  })
  .meta({ id: 'ApiKey', examples: [apiKeyExample] });

/** The public id of the actor who made it, as the log names one; null when it was made in SQL. */
function makerOf(actor: string): string | null {
  const [type, id = ''] = actor.split(':', 2);
  if (type === 'USER') return formatId('usr', id);
  return type === 'API_KEY' ? formatId('key', id) : null;
}

function action(change: Change): string {
  const { before, after } = change;
  const revoked = before !== null && after !== null && before.revoked_at === null && after.revoked_at !== null;
  return revoked ? 'revoked' : plainAction(change);
}

export const apiKeyNoun: LoggedEntity = {
  entity: 'api-key',
  topic: 'api-keys',
  prefix: 'key',
  permission: 'api-keys',
  view: (row) => ({
    id: formatId('key', String(row.id)),
    externalId: row.external_id ?? null,
    name: row.name,
    scopes: row.scopes,
    createdBy: makerOf(String(row.created_by)),
    isActive: row.revoked_at === null,
    expiresAt: instantOf(row.expires_at),
    revokedAt: instantOf(row.revoked_at),
    version: row.version,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
  }),
  tagsTouched: ({ entityId }) => ['api-keys', `api-keys/${entityId}`],
  action,
  actions: ['revoked'],
};
