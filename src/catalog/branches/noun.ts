import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import type { Change } from '../../data/log.ts';
import { type LoggedEntity, plainAction } from '../../data/registry.ts';

function action(change: Change): string {
  const { before, after } = change;
  if (before === null || after === null || before.is_active === after.is_active) return plainAction(change);
  return after.is_active === true ? 'restored' : 'archived';
}

export const branchNoun: LoggedEntity = {
  entity: 'branch',
  topic: 'branches',
  prefix: 'brch',
  permission: 'catalog:read',
  view: (row) => ({
    id: formatId('brch', String(row.id)),
    externalId: row.external_id,
    name: row.name,
    timeZone: row.time_zone,
    address: row.address,
    phone: row.phone,
    isActive: row.is_active,
    openingHours: row.opening_hours,
    holidays: row.holidays,
    version: row.version,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
  }),
  tagsTouched: ({ entityId }) => ['branches', `branches/${entityId}`],
  action,
  actions: ['archived', 'restored'],
};
