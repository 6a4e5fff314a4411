import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { callbackFault, leadsOutside } from '../../core/callback-url.ts';
import { AppError } from '../../core/errors.ts';
import { uuidOf } from '../../core/id.ts';
import { tellRoom } from '../../data/rooms.ts';
import { type AppContext, type Principal, principalOf } from '../../http/context.ts';
import type { Schema } from '../../http/schemas.ts';
import { change } from '../../resources/change.ts';
import { expectVersion, insertRow, newRow, patchRow, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { archiveOf, createOf, restoreOf, updateOf } from '../../resources/verbs.ts';
import { lineOf } from '../deliveries/consumer.ts';
import { outsideOf } from '../deliveries/outside.ts';
import { beyond, unread } from '../shown.ts';
import { webhook } from './resource.ts';
import { mintSecret } from './secret.ts';

type Handler = (c: AppContext) => Promise<Response>;
type Body = Schema<z.ZodObject>;

/** Refuses one more active endpoint where a company has so many: each is sent every event. */
function refuseMore(c: AppContext, { companyId, id }: WriteInput<unknown>): SQL {
  const { most } = c.env.deps.settings.webhooks;
  const detail = JSON.stringify({ detail: `A company has at most ${most} active webhooks.` });
  return sql`select app.refuse(count(*) >= ${most}, 'conflict', ${detail}::jsonb)
    from webhooks where company_id = ${companyId}::uuid and id <> ${id}::uuid and is_active`;
}

/** An address and types as bodies give them, where they do. */
type Wanted = { url?: unknown; types?: unknown };

/**
 * What only a deployment can say of an address, and who sees what: a key is sent nothing that its scopes do not let it read, so
 * whoever says where events go, or which, must be able to read them.
 * @throws AppError forbidden, invalid_body
 */
async function permit(c: AppContext, principal: Principal, { url, types }: Wanted): Promise<void> {
  const { registry } = c.env.deps;
  const hidden = beyond(registry, Array.isArray(types) ? types : null, (permission) => principal.may(permission));
  if (hidden.length > 0) throw new AppError('forbidden', unread(hidden));
  await permitAddress(c, url);
}

/** What only a deployment can say of an address, where a body names one. @throws AppError invalid_body */
export async function permitAddress(c: AppContext, url: unknown): Promise<void> {
  if (typeof url !== 'string') return;
  const outside = outsideOf(c.env.deps.settings);
  const detail = callbackFault(url, outside) ?? (await fault(url, outside));
  if (detail === null) return;
  throw new AppError('invalid_body', undefined, { faults: [{ pointer: '/url', code: 'forbidden_url', detail }] });
}

/** The same of an endpoint that is there, by what it is sent when this is carried out: nothing to ask of who may read all. */
function refuseUnread(c: AppContext, { companyId, id, principal }: WriteInput<unknown>): SQL[] {
  const hidden = beyond(c.env.deps.registry, null, (permission) => principal.may(permission));
  if (hidden.length === 0) return [];
  const detail = JSON.stringify({ detail: 'You may not read all events that it is sent.' });
  return [
    sql`select app.refuse(types is null or exists (select from unnest(types) t where split_part(t, '.', 1) = any (${sql.param(hidden)}::text[])), 'forbidden', ${detail}::jsonb)
      from webhooks where company_id = ${companyId}::uuid and id = ${id}::uuid`,
  ];
}

async function fault(url: string, { resolve }: ReturnType<typeof outsideOf>): Promise<string | null> {
  if (resolve === null) return null;
  // Who cannot be asked says nothing against it: each delivery asks again, and fails while nobody can tell.
  const isOutside = await leadsOutside(url, resolve).catch(() => true);
  return isOutside ? null : 'Must lead to public addresses.';
}

/** Tells the dispatcher behind the answer that another endpoint follows, or in another way. */
const waking =
  (handler: Handler): Handler =>
  async (c) => {
    const response = await handler(c);
    const { ctx, deps } = c.env;
    const { companyId } = principalOf(c);
    const id = c.req.param('id');
    const line = id === undefined ? undefined : lineOf(uuidOf('whk', id));
    tellRoom(ctx, 'dispatcher', () => deps.dispatchers(companyId).wake(companyId, line));
    return response;
  };

/** Makes an endpoint, which is sent what comes after it; its secret is in this one answer. */
export const createWebhook = (body: Body): Handler =>
  waking((c) => {
    let secret = '';
    return createOf(
      { ...webhook, create: body },
      {
        secret: true,
        prepare: ({ principal, body }) => permit(c, principal, body),
        statements(input) {
          const { companyId, id } = input;
          const minted = mintSecret(c.env.deps.settings.webhooks.keys, companyId, id);
          secret = minted.secret;
          return [
            refuseMore(c, input),
            insertRow(webhook, newRow(webhook, id, input.body)),
            sql`insert into webhook_states (company_id, webhook_id, secret, epoch, revision)
              select h.company_id, ${id}::uuid, ${minted.stored}, h.epoch, h.revision from company_heads h where h.company_id = ${companyId}::uuid`,
          ];
        },
        extra: () => sql`'{}'::jsonb`,
        present: () => ({ secret }),
      },
    )(c);
  });

const SETS_IN_MOTION = sql`generation = generation + 1, waits_until = null`;

/** One more that is active goes on where it stopped, without what was counted against it. */
const goingOn = (c: AppContext, input: WriteInput<unknown>): SQL[] => [
  refuseMore(c, input),
  sql`update webhook_states s set ${SETS_IN_MOTION} from webhooks w where w.company_id = ${input.companyId}::uuid
    and w.id = ${input.id}::uuid and not w.is_active and s.company_id = w.company_id and s.webhook_id = w.id`,
];

/** Whoever changes where events go, or which, must be able to read what goes there then. */
export const updateWebhook = (body: Body): Handler =>
  waking((c) =>
    updateOf(
      { ...webhook, patch: body },
      {
        async prepare({ principal, body }) {
          if (body.url !== undefined || body.types !== undefined) await permit(c, principal, body);
        },
        statements(input) {
          const expected = expectVersion(webhook, input);
          if (input.body.isActive !== true) return [expected, ...patchRow(webhook, input)];
          const restored = { ...input.body, disabledReason: null, disabledAt: null };
          return [expected, ...goingOn(c, input), ...patchRow(webhook, { ...input, body: restored })];
        },
      },
    )(c),
  );

export const archiveWebhook: Handler = waking(archiveOf(webhook));

export const restoreWebhook: Handler = waking((c) =>
  restoreOf(webhook, {
    statements: (input) => [
      expectVersion(webhook, input),
      ...goingOn(c, input),
      setRow(webhook, input, webhook.archive?.restore?.() ?? sql`is_active = true`),
    ],
  })(c),
);

/** Another secret; the one before signs beside it for a day. */
export const rotateSecret: Handler = waking((c) => {
  let secret = '';
  return change({
    ...{ resource: webhook, name: 'webhooks.rotate', target: 'path', status: 200, secret: true },
    statements(input) {
      const { companyId, id } = input;
      const minted = mintSecret(c.env.deps.settings.webhooks.keys, companyId, id);
      secret = minted.secret;
      return [
        expectVersion(webhook, input),
        ...refuseUnread(c, input),
        sql`update webhook_states set previous_secret = secret, previous_until = clock_timestamp() + interval '24 hours', secret = ${minted.stored}
          where company_id = ${companyId}::uuid and webhook_id = ${id}::uuid`,
      ];
    },
    extra: () => sql`'{}'::jsonb`,
    present: () => ({ secret }),
  })(c);
});

const afterOf = ({ body }: { body: { after: number } }): number => body.after;

/** Sets an endpoint back, or forward: it is sent once more what comes after this revision. */
export const replayEvents = (body: Schema<z.ZodType<{ after: number }>>): Handler =>
  waking((c) =>
    change({
      ...{ resource: webhook, name: 'webhooks.replay', target: 'path', status: 200, alone: true, body },
      statements(input) {
        const { companyId, id } = input;
        const after = afterOf(input);
        return [
          expectVersion(webhook, input),
          ...refuseUnread(c, input),
          sql`select app.refuse(h.revision < ${after}::bigint, 'revision_ahead', jsonb_build_object('detail', format('The company is at revision %s.', h.revision), 'revision', h.revision)),
            app.refuse(o.oldest > ${after}::bigint + 1, 'window_exceeded', jsonb_build_object('detail', format('The log is kept from revision %s.', o.oldest), 'oldest', o.oldest, 'head', h.revision))
            from company_heads h, lateral (select coalesce(min(c.revision), h.revision + 1) as oldest from changes c where c.company_id = h.company_id) o
            where h.company_id = ${companyId}::uuid`,
          sql`update webhook_states s set ${SETS_IN_MOTION}, epoch = h.epoch, revision = ${after}::bigint from company_heads h
            where s.company_id = ${companyId}::uuid and s.webhook_id = ${id}::uuid and h.company_id = s.company_id`,
        ];
      },
      extra: (input) =>
        sql`select jsonb_build_object('after', ${afterOf(input)}::bigint, 'head', h.revision, 'epoch', h.epoch)
          from company_heads h where h.company_id = ${input.companyId}::uuid`,
      present: (told) => told,
    })(c),
  );
