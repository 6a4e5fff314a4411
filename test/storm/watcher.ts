import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { Broken } from './caller.ts';
import type { Company } from './company.ts';
import type { Instance } from './instance.ts';
import { digest, type Ledger } from './ledger.ts';

type Event = { revision: number; topic: string; entityId: string; data: unknown };
type Page = { data: Event[]; head: number };

const LIMIT = 200;

/** Follows a company's log over HTTP, through either Worker in turn, until told to stop and at the head. */
export async function follow(
  instances: readonly Instance[],
  company: Company,
  ledger: Ledger,
  ended: () => boolean,
): Promise<number> {
  let at = 0;
  for (let turn = 0; ; turn += 1) {
    const last = ended();
    const instance = instances[turn % instances.length];
    if (instance === undefined || !instance.running) {
      await pause(20);
      continue;
    }
    const page = await ask(instance, company, at, ledger);
    if (page === null) continue;
    for (const event of page.data) {
      if (event.revision !== at + 1)
        ledger.fault('order', `${company.name}: event ${event.revision} came after ${at} through ${instance.name}`);
      at = event.revision;
      ledger.count('events');
    }
    if (page.head < at) ledger.fault('order', `${company.name}: event ${at} was shown at head ${page.head}`);
    if (page.data.length < LIMIT && at !== page.head)
      ledger.fault('order', `${company.name}: head ${page.head} was shown without what follows ${at}`);
    if (last && at >= page.head) return at;
    if (page.data.length < LIMIT) await pause(100);
  }
}

async function ask(instance: Instance, company: Company, after: number, ledger: Ledger): Promise<Page | null> {
  try {
    const path = `/events?after=${after}&limit=${LIMIT}`;
    const reply = await instance.caller.ask({ path, token: company.token });
    if (reply.status === 503) {
      await pause(50);
      return null;
    }
    if (reply.status !== 200) {
      ledger.fault('answers', `GET ${path} answered ${reply.status}: ${reply.text.slice(0, 200)}`);
      return null;
    }
    const page = JSON.parse(reply.text) as Page;
    for (const { revision, topic, entityId, data } of page.data) {
      if (topic !== 'clients') continue;
      const shown = { hash: digest(JSON.stringify(data)), startedAt: reply.startedAt, min: null };
      const query = `/clients/${entityId}`;
      company.seen.push({ query, revision, instance: instance.name, outcome: 'EVENT', ...shown });
    }
    return page;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return null;
  }
}

/** Looks at the log itself, twice a second: between two looks it must have grown by exactly what the head says. */
export async function audit(
  client: pg.Client,
  company: Company,
  ledger: Ledger,
  ended: () => boolean,
): Promise<number> {
  let head = 0;
  for (;;) {
    const last = ended();
    const { rows } = await client.query<{ head: string; low: string | null; high: string | null; n: string }>(
      `select h.revision head, min(c.revision) low, max(c.revision) high, count(distinct c.revision) n
       from company_heads h left join changes c on c.company_id = h.company_id and c.revision > $2
       where h.company_id = $1 group by h.revision`,
      [company.uuid, head],
    );
    const [row] = rows;
    const now = Number(row?.head);
    const grown = row?.n === '0' ? now === head : Number(row?.low) === head + 1 && Number(row?.high) === now;
    if (!grown || Number(row?.n) !== now - head)
      ledger.fault('gapless', `${company.name}: head ${now} after ${head}, with revisions ${JSON.stringify(row)}`);
    head = now;
    ledger.count('audits');
    if (last) return head;
    await pause(500);
  }
}

/** The whole log at once, at the end. */
export async function auditAll(client: pg.Client, company: Company, ledger: Ledger): Promise<void> {
  const { rows } = await client.query<{ head: string; low: string; high: string; n: string }>(
    `select h.revision head, min(c.revision) low, max(c.revision) high, count(distinct c.revision) n
     from company_heads h join changes c using (company_id) where h.company_id = $1 group by h.revision`,
    [company.uuid],
  );
  const [row] = rows;
  if (row?.low !== '1' || row.high !== row.head || row.n !== row.head)
    ledger.fault('gapless', `${company.name}: the log holds ${JSON.stringify(row)}`);
}
