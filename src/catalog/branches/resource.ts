import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { BranchCreate, BranchPatch, BranchView } from './schema.ts';
import { branches } from './table.ts';

export const branch = tenantResource(branches, {
  entity: 'branch',
  prefix: 'brch',
  permission: 'catalog',
  view: BranchView,
  create: BranchCreate,
  patch: BranchPatch,
  archive: byFlag('isActive'),
  sorts: ['name'],
  constraints: {
    branches_address: {
      code: 'invalid_body',
      pointer: '/address',
      detail: 'An address needs line1, city, postalCode and country.',
    },
  },
});
