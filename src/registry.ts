import { apiKeyNoun } from './account/api-keys/noun.ts';
import { companyNoun } from './account/company/resource.ts';
import { userNoun } from './account/users/noun.ts';
import { branchNoun } from './catalog/branches/noun.ts';
import type { ConstraintMeaning } from './data/postgres-errors.ts';
import { makeRegistry, type Registry } from './data/registry.ts';
import { type Importers, makeImporters } from './insight/imports/importer.ts';
import { clientImporter } from './people/clients/import.ts';
import { clientNoun } from './people/clients/noun.ts';

/** Every logged noun: what relay, rooms, events and cache know of it. A new noun adds its line. */
export const registry: Registry = makeRegistry([companyNoun, userNoun, apiKeyNoun, branchNoun, clientNoun]);

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
