import { sql } from 'drizzle-orm';
import { formatId } from '../../core/id.ts';
import { secretBytes } from '../../core/standard-webhook.ts';
import { ADMITTED } from '../../data/caller.ts';
import type { Work } from '../../data/deps.ts';
import type { AlertParts, AlertRule } from '../../data/monitor.ts';
import { write } from '../../data/write.ts';
import { outsideOf } from '../deliveries/outside.ts';
import { post } from '../deliveries/post.ts';
import { readSecret } from '../endpoints/secret.ts';

/** Rules of all companies that are looked at. */
const MOST = 2000;

const SYSTEM = { actor: 'SYSTEM', credential: { system: true } };

/** The rules of all companies, for the monitor, and how their owners hear of them. */
export const watchedAlerts = ({ ctx, deps }: Work): AlertParts => ({
  async rules() {
    const [rows] = await deps.jobs.batch(ctx, { name: 'alerts' }, [
      sql<{ rule: AlertRule }>`select rule from app.alert_rules(${MOST}::int) as rule`,
    ]);
    return rows.map(({ rule }) => rule);
  },
  async keep({ companyId, id }, { state, since, value }) {
    const at = new Date(since).toISOString();
    await write({ ctx, deps }, { companyId, name: 'alerts.turn', writer: SYSTEM, admission: ADMITTED }, [
      sql`update alerts set state = ${state}, state_since = ${at}::timestamptz, last_value = ${value}::float8
        where company_id = ${companyId}::uuid and id = ${id}::uuid and is_active`,
    ]);
  },
  async send(rule, { state, since, value }) {
    const { id, companyId, url } = rule;
    const secret = readSecret(deps.settings.webhooks.keys, { companyId, webhookId: id }, rule.secret);
    const name = formatId('alrt', id);
    if (secret === null) {
      console.error(JSON.stringify({ level: 'error', code: 'webhook_secret_unreadable', alert: name }));
      return false;
    }
    const { metric, comparison, threshold } = rule;
    const at = new Date(since).toISOString();
    const body = JSON.stringify({
      type: state === 'FIRING' ? 'alert.firing' : 'alert.cleared',
      timestamp: at,
      companyId: formatId('comp', companyId),
      data: { id: name, name: rule.name, metric, comparison, threshold, value, state, since: at },
    });
    const message = { id: `${name}_${state}_${since}`, body };
    const report = await post({ url, secrets: [secretBytes(secret)] }, message, outsideOf(deps.settings));
    return report.error === null;
  },
});
