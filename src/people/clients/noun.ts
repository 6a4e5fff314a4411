import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { Change } from '../../data/log.ts';
import { ERASED, type LoggedEntity, plainAction } from '../../data/registry.ts';

/** What happened to a client, in one word: the named ones say more than `updated`. */
function action(change: Change): string {
  const { before, after } = change;
  if (before === null || after === null) return plainAction(change);
  if (before.erased_at === null && after.erased_at !== null) return 'erased';
  if (before.merged_into === null && after.merged_into !== null) return 'merged';
  if (before.status !== 'ARCHIVED' && after.status === 'ARCHIVED') return 'archived';
  if (before.status === 'ARCHIVED' && after.status !== 'ARCHIVED') return 'restored';
  return 'updated';
}

export const clientNoun: LoggedEntity = {
  entity: 'client',
  topic: 'clients',
  prefix: 'clnt',
  permission: 'clients:read',
  view: (row) => ({
    id: formatId('clnt', String(row.id)),
    externalId: row.external_id,
    firstName: row.first_name,
    lastName: row.last_name,
    name: row.name,
    email: row.email,
    phone: row.phone,
    status: row.status,
    tags: row.tags,
    notes: row.notes,
    customFields: row.custom_fields,
    mergedInto: row.merged_into === null ? null : formatId('clnt', String(row.merged_into)),
    version: row.version,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
  }),
  tagsTouched: (change) => [
    ...['clients', `clients/${change.entityId}`],
    ...(action(change) === 'erased' ? [ERASED] : []),
  ],
  action,
  actions: ['archived', 'restored', 'erased', 'merged'],
};
