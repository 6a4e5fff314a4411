import type * as z from 'zod';
import { ApiKeyView, apiKeyNoun } from './account/api-keys/noun.ts';
import { CompanyView, companyNoun } from './account/company/resource.ts';
import { UserView, userNoun } from './account/users/noun.ts';
import { branchNoun } from './catalog/branches/noun.ts';
import { BranchView } from './catalog/branches/schema.ts';
import type { ConstraintMeaning } from './data/postgres-errors.ts';
import { makeRegistry, PLAIN_ACTIONS, type Registry } from './data/registry.ts';
import type { Logged } from './insight/events/schema.ts';
import { type Importers, makeImporters } from './insight/imports/importer.ts';
import { clientImporter } from './people/clients/import.ts';
import { clientNoun } from './people/clients/noun.ts';
import { ClientView } from './people/clients/schema.ts';

/** Every logged resource: what relay, rooms, events and cache know of it. A new one adds its line. */
export const registry: Registry = makeRegistry([companyNoun, userNoun, apiKeyNoun, branchNoun, clientNoun]);

const views: Readonly<Record<string, z.ZodType>> = {
  company: CompanyView,
  user: UserView,
  'api-key': ApiKeyView,
  branch: BranchView,
  client: ClientView,
};

/** The same as the OpenAPI document shows their events. */
export const logged: readonly Logged[] = [...registry.values()].map(({ entity, topic, actions = [] }) => {
  const view = views[entity];
  if (view === undefined) throw new Error(`no view of ${entity}`);
  return { entity, topic, view, actions: [...PLAIN_ACTIONS, ...actions] };
});

/** Every resource that can be imported. Another one adds its line. */
export const importers: Importers = makeImporters([clientImporter]);

/** What a violated constraint means to a caller. */
export const constraints: Readonly<Record<string, ConstraintMeaning>> = {
  users_email: { code: 'email_taken', pointer: '/email', detail: 'This e-mail address is taken.' },
  users_external_id: {
    code: 'external_id_taken',
    pointer: '/externalId',
    detail: 'Another user has this external id.',
  },
  api_keys_external_id: {
    code: 'external_id_taken',
    pointer: '/externalId',
    detail: 'Another key has this external id.',
  },
  branches_external_id: {
    code: 'external_id_taken',
    pointer: '/externalId',
    detail: 'Another branch has this external id.',
  },
  branches_address: {
    code: 'invalid_body',
    pointer: '/address',
    detail: 'An address needs line1, city, postalCode and country.',
  },
  clients_external_id: {
    code: 'external_id_taken',
    pointer: '/externalId',
    detail: 'Another client has this external id.',
  },
  clients_identified: {
    code: 'invalid_body',
    detail: 'At least one of firstName, lastName, externalId, email, phone must remain.',
  },
  clients_custom_fields: { code: 'invalid_body', pointer: '/customFields', detail: 'Must have at most 50 keys.' },
};
