import { type SQL, sql } from 'drizzle-orm';
import type { AppContext } from '../../http/context.ts';
import { routesBelow } from '../../http/route.ts';
import { expectVersion, insertRow, newRow, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { createOf, restoreOf, updateOf } from '../../resources/verbs.ts';
import { mintSecret } from '../endpoints/secret.ts';
import { permitAddress } from '../endpoints/verbs.ts';
import { alert } from './resource.ts';
import { AlertWithSecret } from './schema.ts';

/** Rules of a company that are looked at: each is work of every minute. */
const MOST = 20;

const refuseMore = ({ companyId, id }: WriteInput<unknown>): SQL => {
  const detail = JSON.stringify({ detail: `A company has at most ${MOST} active alerts.` });
  return sql`select app.refuse(count(*) >= ${MOST}, 'conflict', ${detail}::jsonb) from alerts
    where company_id = ${companyId}::uuid and id <> ${id}::uuid and is_active`;
};

function createAlert(c: AppContext): Promise<Response> {
  let secret = '';
  return createOf(alert, {
    secret: true,
    prepare: ({ body }) => permitAddress(c, body.url),
    statements(input) {
      const { companyId, id } = input;
      const minted = mintSecret(c.env.deps.settings.webhooks.keys, companyId, id);
      secret = minted.secret;
      return [
        refuseMore(input),
        insertRow(alert, newRow(alert, id, input.body)),
        sql`insert into alert_secrets (company_id, alert_id, secret) values (${companyId}::uuid, ${id}::uuid, ${minted.stored})`,
      ];
    },
    extra: () => sql`'{}'::jsonb`,
    present: () => ({ secret }),
  })(c);
}

const SAID = `Each minute it is judged by the last whole one. Its address is posted one message when it fires and one when it clears, signed
as Standard Webhooks are: \`alert.firing\`, \`alert.cleared\`. What is not answered with 2xx is tried again each minute, five times in all. A minute
without anything to measure neither fires nor clears. At most ${MOST} active ones.`;

/** Rules that tell when a figure of the deployment is beyond a threshold. */
export const alertRoutes = routesBelow(['alerts'], () =>
  standardRoutes(alert, {
    only: ['list', 'create', 'read', 'update', 'archive', 'restore'],
    create: {
      description: `${SAID} An Idempotency-Key is ignored: the secret is not kept in the clear.`,
      success: { status: 201, schema: AlertWithSecret, description: 'The new rule and its secret' },
      ignoresKey: true,
      handler: createAlert,
    },
    update: {
      handler: (c) => updateOf(alert, { prepare: ({ body }) => permitAddress(c, body.url) })(c),
    },
    archive: { description: 'Nobody looks at it any more, and what it still had to say is not said.' },
    restore: {
      description: 'It begins anew, with the next whole minute.',
      errors: ['not_found', 'version_mismatch', 'conflict'],
      handler: restoreOf(alert, {
        statements: (input) => [
          expectVersion(alert, input),
          refuseMore(input),
          setRow(alert, input, alert.archive?.restore?.() ?? sql`is_active = true`),
        ],
      }),
    },
  }),
);
