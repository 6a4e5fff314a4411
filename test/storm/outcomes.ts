import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../local/ports.ts';
import { type Company, renew, signUpCompany } from './company.ts';
import { Instance } from './instance.ts';
import { judge, type Verdict } from './judge.ts';
import { Lookout } from './lookout.ts';
import { Random } from './random.ts';
import type { Ground } from './storm.ts';
import { type Shots, Terminator } from './terminator.ts';
import { GRACE, PROMISE } from './verify.ts';
import { SLOW, sendFile, type Testimony, writeClient } from './witness.ts';

export type OutcomesPlan = { terminations: number; purges: number; seed: number };
export type Outcomes = { plan: OutcomesPlan; shots: Shots; verdict: Verdict; seconds: number };

/** The requirement (issue point 1). */
export const FULL_OUTCOMES: OutcomesPlan = { terminations: 300, purges: 20, seed: 1 };

/** Companies with one writer, who rests after a failure: only the relay can make such a write seen. */
const CALM = 6;
/** Companies with four writers each, who go on. */
const BUSY = 3;
const WRITERS = 4;
/** Companies that import file after file. */
const IMPORTING = 2;
/** Rows of the first file; each has one more than the one before. */
const FIRST_FILE = 20;
/** How long an import may need after the last shot, ms. */
const IMPORT_PATIENCE = 90_000;

/**
 * COMMITs that last: before they are durable for rows marked SLOW (a deferred trigger sleeps), and while they are flushed
 * for all (commit_delay, which takes fsync).
 */
const SLOW_COMMITS = `
  create schema storm;
  create function storm.linger() returns trigger language plpgsql as $$
    begin if new.notes like '${SLOW}%' then perform pg_catalog.pg_sleep(0.1); end if; return null; end $$;
  create constraint trigger storm_linger after insert on clients deferrable initially deferred
    for each row execute function storm.linger()`;

/**
 * What callers are told of their writes while backends end in the middle of their COMMIT, and all at once; held against
 * the log. The ground's Postgres must be a durable one. Faults are in the verdict; it throws only for the stack's.
 */
export async function outcomes(
  ground: Ground,
  plan: OutcomesPlan,
  say: (line: string) => void = () => undefined,
): Promise<Outcomes> {
  const random = new Random(plan.seed);
  const vars = {
    ...ground.vars,
    RATE_LIMIT_PER_MINUTE: '1000000000',
    SIGNUP_LIMIT: '1000000',
    LOGIN_LIMIT: '1000000',
    LOG_LEVEL: 'warn',
  };
  const make = async (name: 'A' | 'B'): Promise<Instance> =>
    new Instance(
      name,
      { bundle: ground.bundle, vars, persist: join(ground.dir, name), port: await freePort() },
      () => undefined,
    );
  const [a, b] = [await make('A'), await make('B')];
  const admin = new pg.Client({ connectionString: ground.adminUrl });
  const looker = new pg.Pool({ connectionString: ground.adminUrl, max: 4 });
  try {
    await Promise.all([a.start(), b.start(), admin.connect()]);
    for (const setting of ['commit_delay = 100000', 'commit_siblings = 0', 'synchronous_commit = on'])
      await admin.query(`alter system set ${setting}`);
    await admin.query('select pg_reload_conf()');
    await admin.query(SLOW_COMMITS);
    const companies: Company[] = [];
    for (let i = 0; i < CALM + BUSY + IMPORTING; i += 1) companies.push(await signUpCompany(a.caller, `outcome-${i}`));
    const started = performance.now();
    const terminator = new Terminator(admin, random.fork());
    const { writes, files, seen } = await load({ a, b, companies, terminator, plan, random, looker, say });
    await importsEnd(looker);
    const verdict = await judge(looker, companies, { writes, files, seen });
    return { plan, shots: terminator.shots, verdict, seconds: (performance.now() - started) / 1000 };
  } finally {
    await Promise.all([a.stop(), b.stop(), admin.end(), looker.end()]);
  }
}

type Load = {
  a: Instance;
  b: Instance;
  companies: readonly Company[];
  terminator: Terminator;
  plan: OutcomesPlan;
  random: Random;
  looker: pg.Pool;
  say(line: string): void;
};

async function load({ a, b, companies, terminator, plan, random, looker, say }: Load) {
  const [writes, files]: [Testimony[], Testimony[]] = [[], []];
  const calm = companies.slice(0, CALM);
  const busy = companies.slice(CALM, CALM + BUSY);
  const lookouts = new Map([...calm, ...busy].map((company) => [company, new Lookout(b.caller, company)]));
  let shot = false;
  let over = false;
  const watching = [...lookouts.values()].map((lookout) => lookout.watch(() => over));
  const tokens = renew(b.caller, companies, () => over);
  const news = setInterval(() => {
    const { purges } = terminator.shots;
    say(`terminations ${terminator.aimed} of ${plan.terminations}, purges ${purges}, writes ${writes.length}`);
  }, 10_000);
  const writer = async (company: Company, rests: boolean, choices: Random): Promise<void> => {
    while (!shot) {
      const testimony = await writeClient(a.caller, company, choices);
      writes.push(testimony);
      if (rests && testimony.answers[0]?.told !== 'stored') await untilSeen(testimony, looker, lookouts.get(company));
      await pause(choices.below(100));
    }
  };
  const importer = async (company: Company, choices: Random): Promise<void> => {
    for (let rows = FIRST_FILE; !shot; rows += 1) {
      files.push(await sendFile(a.caller, company, rows, choices));
      // Few at a time: a company's queue of imports is short.
      await pause(700 + choices.below(600));
    }
  };
  try {
    await Promise.all([
      terminator.run(plan.terminations, plan.purges).finally(() => {
        shot = true;
      }),
      ...calm.map((company) => writer(company, true, random.fork())),
      ...busy.flatMap((company) => Array.from({ length: WRITERS }, () => writer(company, false, random.fork()))),
      ...companies.slice(CALM + BUSY).map((company) => importer(company, random.fork())),
    ]);
    // What was stored last may take as long as is promised to be seen, and is looked for a little longer.
    await pause(PROMISE + GRACE + 1000);
  } finally {
    over = true;
    clearInterval(news);
    await Promise.all([...watching, tokens]);
  }
  return { writes, files, seen: new Map([...lookouts.values()].flatMap((lookout) => [...lookout.seen])) };
}

/** Rests until others see the write, or until it is certain that there is nothing to see. */
async function untilSeen({ mark, company }: Testimony, looker: pg.Pool, lookout?: Lookout): Promise<void> {
  // A backend that is being ended takes a moment; what is not there by then was rolled back.
  await pause(500);
  const sql = `select from changes where company_id = $1 and after ->> 'notes' = $2`;
  if ((await looker.query(sql, [company.uuid, mark])).rowCount === 0) return;
  const until = performance.now() + PROMISE + GRACE + 1000;
  while (lookout?.seen.has(mark) === false && performance.now() < until) await pause(50);
}

/** Waits until no import is left that waits or runs, or for as long as is fair. */
async function importsEnd(looker: pg.Pool): Promise<void> {
  const until = performance.now() + IMPORT_PATIENCE;
  for (;;) {
    const { rowCount } = await looker.query('select from imports where finished_at is null');
    if (rowCount === 0 || performance.now() > until) return;
    await pause(500);
  }
}
