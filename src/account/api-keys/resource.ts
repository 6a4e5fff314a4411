import { sql } from 'drizzle-orm';
import { formatId } from '../../core/id.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { ApiKeyCreate, ApiKeyPatch, ApiKeyView } from './schema.ts';
import { apiKeys } from './table.ts';

/** The public id of the actor who made it, as the log names one; null when it was made in SQL. */
function makerOf(actor: string): string | null {
  const [type, id = ''] = actor.split(':', 2);
  if (type === 'USER') return formatId('usr', id);
  return type === 'API_KEY' ? formatId('key', id) : null;
}

export const apiKey = tenantResource(apiKeys, {
  entity: 'api-key',
  prefix: 'key',
  one: 'key',
  many: 'keys',
  tag: 'API keys',
  permission: { read: 'api-keys', write: 'api-keys' },
  view: ApiKeyView,
  create: ApiKeyCreate,
  patch: ApiKeyPatch,
  computed: { createdBy: (row) => makerOf(row.created_by), isActive: (row) => row.revoked_at === null },
  archive: () => ({
    filter: { isActive: { kind: 'boolean', description: 'False: the revoked ones, which are hidden otherwise.' } },
    // Said so that it becomes the predicate of the one index or the other.
    parts: ({ filters }) => ({
      column: sql`(api_keys.revoked_at is null)`,
      values: [filters.isActive !== false],
      of: (row) => row.revoked_at === null,
    }),
    archive: () => sql`revoked_at = coalesce(revoked_at, clock_timestamp())`,
  }),
  sorts: ['name'],
  actions: { revoked: (before, after) => before.revoked_at === null && after.revoked_at !== null },
});
