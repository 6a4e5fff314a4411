import type { RouteModule } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { clientResource } from './resource.ts';
import { ClientCreate, ClientCreated, ClientMerge, ClientPatch, ClientView, ClientWithIncludes } from './schema.ts';
import {
  archiveClient,
  clientRow,
  createClient,
  eraseClient,
  mergeClient,
  restoreClient,
  updateClient,
} from './service.ts';

const standard = standardRoutes({
  resource: clientResource,
  tag: 'Clients',
  one: 'client',
  many: 'clients',
  view: ClientView,
  read: ClientWithIncludes,
  created: ClientCreated,
  create: {
    body: ClientCreate,
    handler: createClient,
    errors: ['external_id_taken'],
    table: 'clients',
    row: clientRow,
  },
  update: { body: ClientPatch, handler: updateClient, errors: ['external_id_taken', 'erased', 'conflict'] },
  archive: archiveClient,
  restore: restoreClient,
  stateErrors: ['erased', 'conflict'],
});

const success = { status: 200, schema: ClientView, description: 'The client as it is now' };

export const clientRoutes: RouteModule = [
  ...standard,
  {
    method: 'post',
    path: '/clients/:id/erase',
    tag: 'Clients',
    summary: 'Erase a client',
    description:
      'Anonymises the client and what was merged into it for good, in events and audit too; the books stay. A 200 holds for every cached copy: while those cannot be reached the answer is 503 `busy`, and nothing has changed.',
    permission: 'erase',
    success,
    errors: ['not_found', 'version_mismatch'],
    handler: eraseClient,
  },
  {
    method: 'post',
    path: '/clients/:id/merge',
    tag: 'Clients',
    summary: 'Merge another client into this one',
    description: 'Fills empty fields, unites tags and archives the other, which then names this one as `mergedInto`.',
    permission: 'merge',
    body: ClientMerge,
    success,
    errors: ['not_found', 'unknown_reference', 'version_mismatch', 'erased', 'conflict'],
    handler: mergeClient,
  },
];
