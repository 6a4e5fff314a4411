import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { NeonBridge } from '../../local/neon.ts';
import { freePort } from '../../local/ports.ts';
import { type Company, renew, signUpCompany } from './company.ts';
import { Disturber } from './disturber.ts';
import { Instance } from './instance.ts';
import { Ledger } from './ledger.ts';
import { Pace, type Plan } from './pace.ts';
import { Random } from './random.ts';
import { reader } from './reader.ts';
import { compareAtRest, seenByAll } from './rest.ts';
import { PROMISE, SLACK, type Terms, type Unseen, verify } from './verify.ts';
import { audit, auditAll, follow } from './watcher.ts';
import { wipeRedis } from './wipe.ts';
import { seed, writer } from './writer.ts';

/** The stack a storm rages on; whoever gives it ends it. */
export type Ground = {
  neon: NeonBridge;
  /** The Worker's settings. */
  vars: Record<string, string>;
  /** TCP URL of the database for its administrator. */
  adminUrl: string;
  bundle: string;
  /** Where the Durable Objects keep their state; the storm's alone. */
  dir: string;
};

export type Outcome = {
  plan: Plan;
  ledger: Ledger;
  unseen: Unseen;
  heads: number[];
  seconds: number;
  checkSeconds: number;
  /** The longest this process, which is also the bridges and Redis, kept everybody waiting, ms: the 99th percentile and the most. */
  loopDelay: { p99: number; max: number };
  outages: { count: number; longestMs: number; totalMs: number };
};

/** The requirement (issue point 5). */
export const FULL: Plan = {
  writes: 20_000,
  reads: 100_000,
  kills: 50,
  wipes: 2,
  seed: 1,
  writersPerCompany: 50,
  readers: 48,
};

const STALENESS = 2000;
const FIRST_CLIENTS = 25;

/** Runs a whole storm: load and disturbances, rest, then the verdict. Faults are in the outcome; it throws only for the stack's. */
export async function storm(
  ground: Ground,
  plan: Plan,
  say: (line: string) => void = () => undefined,
): Promise<Outcome> {
  const ledger = new Ledger();
  const random = new Random(plan.seed);
  const vars: Record<string, string> = {
    ...ground.vars,
    RATE_LIMIT_PER_MINUTE: '1000000000',
    SIGNUP_LIMIT: '1000000',
    LOGIN_LIMIT: '1000000',
    LOG_LEVEL: 'warn',
    // A queue for a place in the isolate polls; a hundred callers polling would be most of what the Worker does.
    DB_CONNECTION_LIMIT: '200',
    CACHE_MAX_STALENESS_MS: String(STALENESS),
  };
  const log = (line: string): void => void (line.includes('"internal_error"') && say(line));
  const make = async (name: 'A' | 'B'): Promise<Instance> =>
    new Instance(name, { bundle: ground.bundle, vars, persist: join(ground.dir, name), port: await freePort() }, log);
  const [a, b] = [await make('A'), await make('B')];
  const looker = new pg.Client({ connectionString: ground.adminUrl });
  try {
    await Promise.all([a.start(), b.start(), looker.connect()]);
    await looker.query(`set default_transaction_read_only = on; set timezone = 'UTC'`);
    const companies = [await signUpCompany(a.caller, 'north'), await signUpCompany(a.caller, 'south')];
    const base = await heads(looker, companies);
    const startedAt = performance.now();
    const loop = monitorEventLoopDelay({ resolution: 10 });
    loop.enable();
    const wipes = await rage({ ground, plan, ledger, random, a, b, companies, looker, vars, say });
    await rest([a, b], companies, looker);
    await compareAtRest([a, b], companies, ledger);
    const restedAt = performance.now();
    loop.disable();
    say('replaying the log …');
    const unseen: Unseen = { calm: 0, announced: 0, announcedFromAnswer: 0, crashed: 0, crashedWithRestarts: 0 };
    for (const [i, company] of companies.entries()) {
      const cursorSecret = vars.CURSOR_SECRET ?? '';
      const terms: Terms = { cursorSecret, staleness: STALENESS, outages: a.outages, wipes, base: base[i] ?? 0 };
      await verify(looker, company, ledger, terms, unseen);
      await auditAll(looker, company, ledger);
    }
    const times = a.outages.map(({ from, until }) => until - from);
    return {
      plan,
      ledger,
      unseen,
      heads: await heads(looker, companies),
      seconds: (restedAt - startedAt) / 1000,
      checkSeconds: (performance.now() - restedAt) / 1000,
      loopDelay: { p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 },
      outages: {
        count: times.length,
        longestMs: Math.max(0, ...times),
        totalMs: times.reduce((sum, time) => sum + time, 0),
      },
    };
  } finally {
    ground.neon.setHooks({ afterCommit: null });
    await Promise.all([a.stop(), b.stop(), looker.end()]);
  }
}

type Rage = {
  ground: Ground;
  plan: Plan;
  ledger: Ledger;
  random: Random;
  a: Instance;
  b: Instance;
  companies: Company[];
  looker: pg.Client;
  vars: Record<string, string>;
  say(line: string): void;
};

/** Everything at once, until the plan is fulfilled. @returns when Redis was wiped */
async function rage(parts: Rage): Promise<readonly number[]> {
  const { ground, plan, ledger, random, a, b, companies, looker, say } = parts;
  const pace = new Pace(plan, ledger);
  const wipe = (): Promise<void> => wipeRedis(parts.vars);
  const { adminUrl } = ground;
  const disturber = new Disturber({ a, b, companies, ledger, pace, plan, random: random.fork(), adminUrl, wipe });
  ground.neon.setHooks({ afterCommit: disturber.afterCommit });
  await Promise.all(companies.map((company) => seed(a, company, ledger, FIRST_CLIENTS, random.fork())));
  let loaded = false;
  const ended = (): boolean => loaded;
  const watching = companies.flatMap((company) => [
    follow([a, b], company, ledger, ended),
    audit(looker, company, ledger, ended),
  ]);
  const news = setInterval(() => say(progress(pace, ledger)), 10_000);
  const renewals = renew(b.caller, companies, ended);
  const writers = companies.flatMap((company) =>
    Array.from({ length: plan.writersPerCompany }, () => writer(a, company, ledger, pace, random.fork())),
  );
  const readers = Array.from({ length: plan.readers }, (_, i) =>
    reader([a, b], companies[i % companies.length] as Company, ledger, pace, random.fork()),
  );
  try {
    await Promise.all([disturber.run(), ...writers, ...readers]);
    loaded = true;
    await Promise.all([...watching, renewals]);
  } finally {
    clearInterval(news);
  }
  return disturber.wipes;
}

function progress(pace: Pace, ledger: Ledger): string {
  const share = (part: number): string => `${Math.round(part * 100)} %`;
  const faults = [...ledger.faults].map(([rule, { count }]) => `${rule} ${count}`).join(', ');
  return `writes ${share(pace.written)}, reads ${share(pace.read)}, kills ${ledger.tally('kills')}, wipes ${ledger.tally('wipes')}, faults: ${faults === '' ? 'none' : faults}`;
}

/** Until everyone sees everything, at most as long as is promised; then until readings of tags have aged out. */
async function rest(instances: readonly Instance[], companies: readonly Company[], looker: pg.Client): Promise<void> {
  await Promise.all(instances.map((each) => each.up));
  const until = performance.now() + 3 * PROMISE;
  for (const [i, head] of (await heads(looker, companies)).entries())
    await seenByAll(instances, companies[i] as Company, head, until);
  await pause(STALENESS + SLACK);
}

async function heads(client: pg.Client, companies: readonly Company[]): Promise<number[]> {
  const { rows } = await client.query<{ company_id: string; revision: string }>(
    'select company_id, revision from company_heads where company_id = any($1)',
    [companies.map(({ uuid }) => uuid)],
  );
  return companies.map(({ uuid }) => Number(rows.find((row) => row.company_id === uuid)?.revision));
}
