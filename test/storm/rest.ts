import { setTimeout as pause } from 'node:timers/promises';
import { Broken } from './caller.ts';
import type { Company } from './company.ts';
import type { Instance } from './instance.ts';
import { type Ledger, seenIn } from './ledger.ts';
import { LISTS } from './queries.ts';

/** The newest clients' details; older ones follow the same path. */
const DETAILS = 100;

/**
 * With nothing more written: what each Worker answers from its cache is what an uncached read answers. The cached reads
 * come first, all of them, because an uncached one refills the cache.
 */
export async function compareAtRest(
  instances: readonly Instance[],
  companies: readonly Company[],
  ledger: Ledger,
): Promise<void> {
  for (const company of companies) {
    const { token } = company;
    const paths = [...LISTS, ...company.clients.slice(-DETAILS).map(({ id }) => `/clients/${id}`)];
    const asks = instances.flatMap((instance) => paths.map((path) => ({ instance, path, shown: '' })));
    await each(asks, async (ask) => {
      const { instance, path } = ask;
      const reply = await instance.caller.ask({ path, token });
      const outcome = String(reply.headers['x-cache']);
      ask.shown = `${reply.status} ${reply.text}`;
      ledger.count(`end.${outcome}`);
      company.seen.push(seenIn(reply, path, instance.name, outcome, null));
    });
    await each(asks, async ({ instance, path, shown }) => {
      const reply = await instance.caller.ask({ path, token, headers: { 'Cache-Control': 'no-cache' } });
      company.seen.push(seenIn(reply, path, instance.name, 'BYPASS', null));
      ledger.count('end.compared');
      if (reply.headers['x-cache'] !== 'BYPASS' || shown !== `${reply.status} ${reply.text}`)
        ledger.fault('end', `${company.name}: ${path} through ${instance.name}: uncached is another`);
    });
  }
}

const ABREAST = 8;

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += ABREAST) await Promise.all(items.slice(at, at + ABREAST).map(work));
}

/**
 * Resolves when every list, asked for without any demand, shows `head` through every Worker, or at `until` (storm's clock).
 */
export async function seenByAll(
  instances: readonly Instance[],
  company: Company,
  head: number,
  until: number,
): Promise<void> {
  const left = instances.flatMap((instance) => LISTS.map((path) => ({ instance, path })));
  while (performance.now() < until) {
    const [next] = left;
    if (next === undefined) return;
    if ((await revisionOf(next.instance, next.path, company.token)) >= head) left.shift();
    else await pause(50);
  }
}

async function revisionOf(instance: Instance, path: string, token: string): Promise<number> {
  try {
    return (await instance.caller.ask({ path, token })).revision;
  } catch (error) {
    if (error instanceof Broken) return -1;
    throw error;
  }
}
