import { type RouteModule, routesBelow } from '../../http/route.ts';
import { page } from '../../http/schemas.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { DELIVERY_QUERY, listDeliveries } from '../deliveries/list.ts';
import { pingWebhook } from '../deliveries/ping.ts';
import { ReplayRequest, ReplayStarted, WebhookDelivery, WebhookPing } from '../deliveries/schema.ts';
import { webhook } from './resource.ts';
import { type Happening, WebhookWithSecret, webhookBodies } from './schema.ts';
import { archiveWebhook, createWebhook, replayEvents, restoreWebhook, rotateSecret, updateWebhook } from './verbs.ts';

const SENT = `Each event is posted as \`GET /events\` shows it to an ADMIN, with \`companyId\`, signed as Standard Webhooks are
(\`webhook-id\`, the same at every attempt and unique over all companies; \`webhook-timestamp\`; \`webhook-signature\`). It must be answered with 2xx in 10
seconds. Otherwise it is tried again after 5 seconds, 5 and 30 minutes, 2, 5 and 10 hours and a day, while the events behind it wait;
then it is DEAD and the next one is sent. An event may come more than once, never out of order. An endpoint that answers 410,
or takes nothing for three days, is archived.`;

const { tag, permission, writePermission } = webhook;
const path = '/webhooks/:id';
const KEYS = 'A key needs the scopes to read what it would be sent.';

/** Endpoints, and what was sent to them. */
export const webhookRoutes = (happenings: () => readonly Happening[]): RouteModule =>
  routesBelow(['webhooks'], () => {
    const { create, patch } = webhookBodies(happenings());
    return [
      ...standardRoutes(webhook, {
        only: ['list', 'create', 'read', 'update', 'archive', 'restore'],
        list: { description: 'Archived ones are shown only when asked for. Secrets are never shown again.' },
        create: {
          description: `${SENT} ${KEYS} An Idempotency-Key is ignored: the secret is not kept in the clear.`,
          body: create,
          success: { status: 201, schema: WebhookWithSecret, description: 'The new webhook and its secret' },
          ignoresKey: true,
          handler: createWebhook(create),
        },
        update: {
          description: `JSON Merge Patch (RFC 7396). What waits for another attempt is tried at once. \`isActive\` archives and restores. ${KEYS}`,
          body: patch,
          handler: updateWebhook(patch),
        },
        archive: {
          description: 'Nothing is sent to it any more; `restore` lets it go on where it stopped.',
          handler: archiveWebhook,
        },
        restore: {
          description: 'It goes on where it stopped, as far as the log is kept; `replay` sets it elsewhere.',
          handler: restoreWebhook,
        },
      }),
      {
        method: 'post',
        path: `${path}/rotate`,
        ...{ tag, permission: writePermission },
        summary: 'Change the secret of a webhook',
        description: `The one before signs beside it for 24 hours: \`webhook-signature\` holds both. ${KEYS}`,
        success: { status: 200, schema: WebhookWithSecret, description: 'The webhook and its new secret' },
        ignoresKey: true,
        errors: ['not_found', 'version_mismatch'],
        handler: rotateSecret,
      },
      {
        method: 'post',
        path: `${path}/ping`,
        ...{ tag, permission: writePermission },
        summary: 'Send a test event',
        description: `Of the type \`webhook.ping\`, at once and once. It costs as much as 5 requests. ${KEYS}`,
        success: { status: 200, schema: WebhookPing, description: 'How it went' },
        ignoresKey: true,
        errors: ['not_found', 'version_mismatch'],
        handler: pingWebhook,
      },
      {
        method: 'post',
        path: `${path}/replay`,
        ...{ tag, permission: writePermission },
        summary: 'Send events once more',
        description: `All behind a revision, in order and under the same \`webhook-id\`; then it goes on as ever. ${KEYS}`,
        body: ReplayRequest,
        success: { status: 200, schema: ReplayStarted, description: 'Where it begins' },
        errors: ['not_found', 'version_mismatch', 'revision_ahead', 'window_exceeded'],
        handler: replayEvents(ReplayRequest),
      },
      {
        method: 'get',
        path: `${path}/deliveries`,
        ...{ tag, permission },
        summary: 'List what was sent to a webhook',
        description: 'Attempts, the latest first: of each webhook the last thousand. They hold nothing of the events.',
        query: DELIVERY_QUERY,
        success: { status: 200, schema: page(WebhookDelivery), description: 'A page of attempts' },
        errors: ['not_found', 'invalid_cursor', 'cursor_mismatch'],
        handler: listDeliveries,
      },
    ];
  });
