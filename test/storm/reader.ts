import { setTimeout as pause } from 'node:timers/promises';
import { Broken, type Reply } from './caller.ts';
import type { Company } from './company.ts';
import type { Instance } from './instance.ts';
import { digest, type Ledger, seenIn } from './ledger.ts';
import type { Pace } from './pace.ts';
import { LISTS } from './queries.ts';
import type { Random } from './random.ts';
import { someClient } from './writer.ts';

const KINDS = { plain: 55, monotonic: 20, writes: 15, conditional: 10 } as const;

/** One caller who reads: through either Worker, now and then demanding what it or somebody else has seen. */
export async function reader(
  instances: readonly Instance[],
  company: Company,
  ledger: Ledger,
  pace: Pace,
  random: Random,
): Promise<void> {
  let last = 0;
  const tags = new Map<string, { etag: string; hash: string }>();
  while (!pace.over) {
    await pace.reader(random);
    const up = instances.filter((each) => each.running);
    const instance = up.length === 0 ? undefined : random.pick(up);
    if (instance === undefined) {
      await Promise.race(instances.map((each) => each.up));
      continue;
    }
    const path = random.next() < 0.6 ? random.pick(LISTS) : `/clients/${someClient(company, random).id}`;
    const kind = random.weighted(KINDS);
    const min = kind === 'monotonic' ? last : kind === 'writes' ? company.newest : null;
    const held = kind === 'conditional' ? tags.get(path) : undefined;
    const headers: Record<string, string> = {};
    if (min !== null) headers['Min-Revision'] = String(min);
    if (held !== undefined) headers['If-None-Match'] = held.etag;
    const reply = await ask(instance, company, path, headers, ledger);
    if (reply === null || !accept(reply, path, min, ledger)) {
      await pause(10);
      continue;
    }
    pace.reads.note(reply.endedAt - reply.startedAt);
    const shown = reply.status === 304 ? (held?.hash ?? 'no 304 without a tag') : digest(reply.text);
    const outcome = reply.status === 304 ? '304' : String(reply.headers['x-cache']);
    company.seen.push(seenIn(reply, path, instance.name, outcome, min, shown));
    ledger.count('reads');
    ledger.count(`read.${outcome}`);
    ledger.count(`tier.${String(reply.headers['cache-status']).replace(/^ClientsPlus; (?:hit; detail=)?/, '')}`);
    if (min !== null) ledger.count('read.demanding');
    last = Math.max(last, reply.revision);
    if (reply.status === 200) tags.set(path, { etag: String(reply.headers.etag), hash: shown });
    if (tags.size > 200) tags.clear();
  }
}

async function ask(
  instance: Instance,
  company: Company,
  path: string,
  headers: Record<string, string>,
  ledger: Ledger,
): Promise<Reply | null> {
  try {
    return await instance.caller.ask({ path, token: company.token, headers });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    if (error.hung) ledger.fault('answers', `GET ${path} through ${instance.name}: ${error.message}`);
    ledger.count('read.broken');
    return null;
  }
}

/** Whether the answer shows the document; whatever else it may be is booked. */
function accept(reply: Reply, path: string, min: number | null, ledger: Ledger): boolean {
  const { status, revision } = reply;
  if (status === 503) {
    ledger.count('read.503');
    return false;
  }
  if (status !== 200 && status !== 304) {
    const rule = min !== null && status === 400 ? 'minimum' : 'answers';
    ledger.fault(rule, `GET ${path} (Min-Revision ${min}) answered ${status}: ${reply.text.slice(0, 200)}`);
    return false;
  }
  if (min !== null && revision < min) ledger.fault('minimum', `GET ${path}: demanded ${min}, answered ${revision}`);
  return true;
}
