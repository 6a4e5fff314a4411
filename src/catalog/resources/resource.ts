import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { branches } from '../branches/table.ts';
import { ResourceCreate, ResourcePatch, ResourceView } from './schema.ts';
import { resources } from './table.ts';

/** A room, a chair, a device. */
export const bookableResource = tenantResource(resources, {
  entity: 'resource',
  prefix: 'rsrc',
  permission: 'catalog',
  view: ResourceView,
  create: ResourceCreate,
  patch: ResourcePatch,
  imports: { example: { externalId: 'chair-1', name: 'Chair 1', kind: 'CHAIR', branchExternalId: 'main' } },
  references: { branchId: { prefix: 'brch', table: branches } },
  archive: byFlag('isActive'),
  filters: {
    branchId: { kind: 'id', description: 'Is at this branch.' },
    kind: { kind: 'text', description: 'Is of this kind.' },
  },
  sorts: ['name'],
});
