import { type RouteSpec, routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { client } from './resource.ts';
import { ClientCreated, ClientMerge, ClientView, ClientWithIncludes } from './schema.ts';
import { createClient, eraseClient, mergeClient, restoreClient, updateClient } from './verbs.ts';

const success = { status: 200, schema: ClientView, description: 'The client as it is now' };
const onClient = (
  verb: string,
  route: Pick<RouteSpec, 'summary' | 'description' | 'errors' | 'handler'> & Partial<RouteSpec>,
): RouteSpec => ({
  method: 'post',
  path: `/clients/:id/${verb}`,
  tag: client.tag,
  permission: verb,
  success,
  ...route,
});

export const clientRoutes = routesBelow(['clients'], () => [
  ...standardRoutes(client, {
    shown: ClientWithIncludes,
    create: {
      success: { status: 201, schema: ClientCreated, description: 'The new client' },
      handler: createClient,
    },
    update: {
      errors: ['not_found', 'version_mismatch', 'external_id_taken', 'erased', 'conflict'],
      handler: updateClient,
    },
    // An erased client is archived already, so archiving it again is the no-op it always is.
    restore: { errors: ['not_found', 'version_mismatch', 'erased', 'conflict'], handler: restoreClient },
  }),
  onClient('erase', {
    summary: 'Erase a client',
    description:
      'Anonymises the client and what was merged into it for good, in events and audit too; the books stay. From then on a booking or an invoice that names the client, and words about one there is, are 409 `erased`. A 200 holds for every cached copy: while those cannot be reached the answer is 503 `busy`, and nothing has changed.',
    errors: ['not_found', 'version_mismatch'],
    handler: eraseClient,
  }),
  onClient('merge', {
    summary: 'Merge another client into this one',
    description:
      'Fills empty fields, unites tags, brings bookings and invoices along, and archives the other, which then names this one as `mergedInto`. A booking, hold, series or invoice that names the other later becomes this one’s; a change of the other itself is 409 `conflict` and says `mergedInto`.',
    body: ClientMerge,
    errors: ['not_found', 'unknown_reference', 'version_mismatch', 'erased', 'conflict'],
    handler: mergeClient,
  }),
]);
