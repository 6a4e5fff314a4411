import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { formatId, NOBODY, newUuid, uuidOf } from '../../core/id.ts';
import { parseIfMatch } from '../../core/revision.ts';
import { admit } from '../../data/admit.ts';
import { actorOf } from '../../data/event.ts';
import { type Row, snapshot } from '../../data/log.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { sendJson } from '../../http/send.ts';
import { submitted } from '../../resources/admitted.ts';
import { mustExist, validateNothing } from '../../resources/change.ts';
import { notFound } from '../../resources/list.ts';
import { readBody } from '../../resources/read-body.ts';
import { expectVersion, rowOf } from '../../resources/row-sql.ts';
import { webhook } from '../endpoints/resource.ts';
import { beyond, unread } from '../shown.ts';
import { endpointsOf, secretsOf } from './consumer.ts';
import { outsideOf } from './outside.ts';
import { post } from './post.ts';

/** Units of the rate limit: it has us call somebody. */
const PING_WEIGHT = 5;

/** POST /webhooks/{id}/ping: sends an event of no change, at once, and answers how that went. Archived ones too. */
export async function pingWebhook(c: AppContext): Promise<Response> {
  const { ctx, deps } = c.env;
  const principal = principalOf(c);
  const { companyId } = principal;
  const id = uuidOf('whk', c.req.param('id') ?? '');
  const { admission } = await submitted(
    c,
    { permission: webhook.writePermission, weight: PING_WEIGHT },
    { read: () => readBody(c), exists: () => mustExist(c, webhook, id), judge: validateNothing },
  );
  await admit(c.env, admission);
  const expected = parseIfMatch(c.req.header('If-Match'));
  const call = { database: deps.read, companyId, name: 'webhooks.ping' };
  const { revision, rows } = await snapshot(ctx, call, [
    // First, because it may raise: what a write leaves to its transaction is asked here.
    admission.credentialQuery(),
    expectVersion(webhook, { ...{ companyId, principal, id, parentId: NOBODY, body: undefined }, expected }),
    sql<{ row: Row }>`select to_jsonb(webhooks) as row from webhooks where ${rowOf(webhook, { principal, id })}`,
    endpointsOf(companyId, id),
  ]);
  const [standing, , [found], [stored]] = rows;
  admission.settleCredential(ctx, standing);
  if (found === undefined || stored === undefined) throw notFound(webhook);
  const types = found.row.types as readonly string[] | null;
  const hidden = beyond(deps.registry, types, (permission) => principal.may(permission));
  if (hidden.length > 0) throw new AppError('forbidden', unread(hidden));
  const secrets = secretsOf(deps.settings.webhooks.keys, companyId, stored);
  if (secrets === null) throw new AppError('internal_error');
  const name = `ping_${newUuid()}`;
  const event = {
    revision,
    id: name,
    type: 'webhook.ping',
    topic: webhook.topic,
    entityId: formatId('whk', id),
    at: new Date(ctx.now()).toISOString(),
    actor: actorOf(principal.actor),
    data: webhook.view(found.row, webhook.version),
    companyId: formatId('comp', companyId),
  };
  const message = { id: name, body: JSON.stringify(event) };
  const report = await post({ url: stored.url, secrets }, message, outsideOf(deps.settings));
  const { durationMs, status, error } = report;
  const answer = { delivered: error === null, responseStatus: status, error, durationMs };
  return sendJson(c, 200, answer, { revision, headers: { 'Cache-Control': 'no-store' } });
}
