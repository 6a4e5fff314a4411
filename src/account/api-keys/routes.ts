import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { apiKey } from './resource.ts';
import { ApiKeyCreated } from './schema.ts';
import { createApiKey, revokeApiKey } from './verbs.ts';

export const apiKeyRoutes = routesBelow(['api-keys'], () =>
  standardRoutes(apiKey, {
    only: ['list', 'create', 'read', 'update', 'archive'],
    list: {
      summary: 'List API keys',
      description: 'Revoked keys are shown only when asked for. Secrets are never shown again.',
    },
    create: {
      summary: 'Create an API key',
      description: 'With at most the scopes its creator holds. An Idempotency-Key is ignored: the secret is not kept.',
      success: { status: 201, schema: ApiKeyCreated, description: 'The new key and its secret, shown this once' },
      ignoresKey: true,
      handler: createApiKey,
    },
    read: { summary: 'Read an API key', description: 'Revoked ones too, without the secret.' },
    update: { summary: 'Rename an API key', description: 'What it may do never changes: make another one.' },
    archive: {
      summary: 'Revoke an API key',
      description: 'For good: writes with it end at once, reads within a minute.',
      handler: revokeApiKey,
    },
  }),
);
