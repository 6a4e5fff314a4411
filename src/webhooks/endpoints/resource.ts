import { sql } from 'drizzle-orm';
import { byFlag } from '../../resources/archive.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { anyWebhook, anyWebhookPatch, WebhookView } from './schema.ts';
import { webhooks } from './table.ts';

const archived = byFlag('isActive');

export const webhook = tenantResource(webhooks, {
  entity: 'webhook',
  prefix: 'whk',
  permission: 'webhooks',
  view: WebhookView,
  create: anyWebhook,
  patch: anyWebhookPatch,
  archive: (fields, many) => ({
    ...archived(fields, many),
    restore: () => sql`is_active = true, disabled_reason = null, disabled_at = null`,
  }),
});
