import { standardRoutes } from '../../resources/standard-routes.ts';
import { branchResource } from './resource.ts';
import { BranchCreate, BranchPatch, BranchView } from './schema.ts';
import { archiveBranch, branchRow, createBranch, restoreBranch, updateBranch } from './service.ts';

export const branchRoutes = standardRoutes({
  resource: branchResource,
  tag: 'Branches',
  one: 'branch',
  many: 'branches',
  view: BranchView,
  create: {
    body: BranchCreate,
    handler: createBranch,
    errors: ['external_id_taken'],
    table: 'branches',
    row: branchRow,
  },
  update: { body: BranchPatch, handler: updateBranch, errors: ['external_id_taken'] },
  archive: archiveBranch,
  restore: restoreBranch,
});
