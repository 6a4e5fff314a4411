import type { RouteModule } from '../../http/route.ts';
import { page } from '../../http/schemas.ts';
import { detail, list } from '../../resources/list.ts';
import { ApiKeyView } from './noun.ts';
import { apiKeyResource } from './resource.ts';
import { ApiKeyCreate, ApiKeyCreated, ApiKeyPatch } from './schema.ts';
import { createApiKey, revokeApiKey, updateApiKey } from './service.ts';

const tag = 'API keys';
const { permission, writePermission, list: declaration } = apiKeyResource;
const key = { schema: ApiKeyView, description: 'The key as it is now' };

export const apiKeyRoutes: RouteModule = [
  {
    method: 'get',
    path: '/api-keys',
    tag,
    summary: 'List API keys',
    description: 'Revoked keys are shown only when asked for. Secrets are never shown again.',
    permission,
    list: declaration,
    success: { status: 200, schema: page(ApiKeyView), description: 'A page of keys', cached: true },
    errors: ['use_cursor', 'invalid_cursor', 'cursor_mismatch'],
    handler: list(apiKeyResource),
  },
  {
    method: 'post',
    path: '/api-keys',
    tag,
    summary: 'Create an API key',
    description: 'With at most the scopes its creator holds. An Idempotency-Key is ignored: the secret is not kept.',
    permission: writePermission,
    body: ApiKeyCreate,
    success: { status: 201, schema: ApiKeyCreated, description: 'The new key and its secret, shown this once' },
    ignoresKey: true,
    errors: ['external_id_taken'],
    handler: createApiKey,
  },
  {
    method: 'get',
    path: '/api-keys/:id',
    tag,
    summary: 'Read an API key',
    description: 'Revoked ones too, without the secret.',
    permission,
    fields: declaration.fields,
    success: { status: 200, schema: ApiKeyView, description: 'The key', cached: true },
    errors: ['not_found'],
    handler: detail(apiKeyResource),
  },
  {
    method: 'patch',
    path: '/api-keys/:id',
    tag,
    summary: 'Rename an API key',
    description: 'What it may do never changes: make another one.',
    permission: writePermission,
    body: ApiKeyPatch,
    success: { status: 200, ...key },
    errors: ['not_found', 'version_mismatch', 'external_id_taken'],
    handler: updateApiKey,
  },
  {
    method: 'delete',
    path: '/api-keys/:id',
    tag,
    summary: 'Revoke an API key',
    description: 'For good: writes with it end at once, reads within a minute.',
    permission: writePermission,
    success: { status: 200, ...key },
    errors: ['not_found', 'version_mismatch'],
    handler: revokeApiKey,
  },
];
