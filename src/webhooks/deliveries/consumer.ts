import { sql } from 'drizzle-orm';
import { formatId } from '../../core/id.ts';
import { secretBytes } from '../../core/standard-webhook.ts';
import { ADMITTED } from '../../data/caller.ts';
import type { Work } from '../../data/deps.ts';
import type { Closing, Consumer, Handled, Line, Mark } from '../../data/dispatch.ts';
import { commit, snapshot } from '../../data/log.ts';
import { write } from '../../data/write.ts';
import { readSecret } from '../endpoints/secret.ts';
import { entitiesShown, eventShown } from '../shown.ts';
import { outsideOf } from './outside.ts';
import { type Outside, post } from './post.ts';

const KIND = 'webhook';

/** The line of an endpoint. */
export const lineOf = (webhookId: string): string => `${KIND}:${webhookId}`;
const idOf = (name: string): string => name.slice(KIND.length + 1);

const SYSTEM = { actor: 'SYSTEM', credential: { system: true } };

type Stored = {
  id: string;
  url: string;
  types: string[] | null;
  secret: string;
  previous: string | null;
  generation: number;
  epoch: string;
  revision: string | number;
};

/** Whom an active endpoint posts to; null: none of our keys opens its secret. */
type Endpoint = { url: string; types: readonly string[] | null; secrets: readonly Uint8Array[] | null };

/** The active endpoints of a company, with what signs for them. Their order is that of their making. */
export const endpointsOf = (companyId: string, webhookId: string | null) => sql<Stored>`/* dispatcher */
  select w.id, w.url, to_jsonb(w.types) as types, s.secret, case when s.previous_until > clock_timestamp() then s.previous_secret end as previous,
      s.generation, s.epoch, s.revision
    from webhooks w join webhook_states s on s.company_id = w.company_id and s.webhook_id = w.id
    where w.company_id = ${companyId}::uuid and ${webhookId === null ? sql`w.is_active` : sql`w.id = ${webhookId}::uuid`} order by w.id`;

/** What signs an endpoint's messages, the newest first; null where it cannot be read. */
export function secretsOf(
  keys: readonly string[],
  companyId: string,
  { id, secret, previous }: Pick<Stored, 'id' | 'secret' | 'previous'>,
): Uint8Array[] | null {
  const of = { companyId, webhookId: id };
  const newest = readSecret(keys, of, secret);
  if (newest === null) return null;
  const before = previous === null ? null : readSecret(keys, of, previous);
  return [newest, ...(before === null ? [] : [before])].map(secretBytes);
}

/** Webhooks as followers of the log: each endpoint is a line, and takes what it answers with 2xx. Made for one turn. */
export function webhookConsumer({ ctx, deps }: Work, outside: Outside = outsideOf(deps.settings)): Consumer {
  const { registry, settings } = deps;
  const endpoints = new Map<string, Endpoint>();
  const call = (companyId: string, name: string) => ({ companyId, name: `webhooks.${name}` });
  return {
    kind: KIND,
    async lines(companyId) {
      const query = endpointsOf(companyId, null);
      const taken = await snapshot(ctx, { database: deps.read, ...call(companyId, 'lines') }, [query]);
      const lines = taken.rows[0].map((row): Line => {
        const { id, url, types, generation, epoch, revision } = row;
        endpoints.set(lineOf(id), { url, types, secrets: secretsOf(settings.webhooks.keys, companyId, row) });
        const position = { epoch, revision: Number(revision) };
        const entities = entitiesShown(registry, types).map(({ entity }) => entity);
        return { name: lineOf(id), generation, position, entities };
      });
      return { head: { epoch: taken.epoch, revision: taken.revision }, lines };
    },
    async handle(companyId, { name }, change, epoch): Promise<Handled> {
      const endpoint = endpoints.get(name);
      if (endpoint === undefined) return { kind: 'stuck' };
      const { url, types, secrets } = endpoint;
      const shown = eventShown(registry, companyId, types, change);
      if (shown === null) return { kind: 'passed' };
      if (secrets === null) return unreadable(name);
      const { type, event } = shown;
      const body = JSON.stringify({ ...event, companyId: formatId('comp', companyId) });
      // Numbers begin anew in another history and in each company; an epoch names both.
      const report = await post({ url, secrets }, { id: `${event.id}_${epoch}`, body }, outside);
      const kind = report.error === null ? 'taken' : report.error === 'gone' ? 'over' : 'failed';
      return { kind, type, report };
    },
    async keep(companyId, marks) {
      const rows = JSON.stringify(marks.map(rowOf));
      await commit(ctx, { database: deps.write, ...call(companyId, 'keep'), writer: SYSTEM }, [
        sql`/* dispatcher */ update webhook_states s set epoch = m.epoch, revision = m.revision, waits_until = m.waits_until, kept_at = clock_timestamp()
          from jsonb_to_recordset(${rows}::jsonb) as m (id uuid, generation int, epoch uuid, revision bigint, waits_until timestamptz)
          where s.company_id = ${companyId}::uuid and s.webhook_id = m.id and s.generation = m.generation`,
      ]);
    },
    async close(companyId, name, why: Closing) {
      await write({ ctx, deps }, { ...call(companyId, 'disable'), writer: SYSTEM, admission: ADMITTED }, [
        sql`update webhooks set is_active = false, disabled_reason = ${why}, disabled_at = clock_timestamp()
          where company_id = ${companyId}::uuid and id = ${idOf(name)}::uuid and is_active`,
      ]);
    },
  };
}

const rowOf = ({ name, generation, position, waitsUntil }: Mark) => ({
  ...{ id: idOf(name), generation, ...position },
  waits_until: waitsUntil === null ? null : new Date(waitsUntil).toISOString(),
});

/** For the operator: WEBHOOK_KEYS lacks the key that this secret was stored with. */
function unreadable(name: string): Handled {
  const webhook = formatId('whk', idOf(name));
  console.error(JSON.stringify({ level: 'error', code: 'webhook_secret_unreadable', webhook }));
  return { kind: 'stuck' };
}
