import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { withClient } from '../../../local/roles.ts';
import type { Caller, Calm, Order, Report, Storm } from '../../fairness/load.ts';
import { signUp, type Tenant } from '../../support/api.ts';
import { uuidOf } from '../../support/people.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';
import { openWorld, type World } from '../../support/world.ts';

// One company never slows another, in times: what a bystander waits while another company storms, against what it waits when
// all is quiet, in the same run. The callers are processes of their own; the bridges are this one.

let world: World;
let shared: RunningWorker;
beforeAll(async () => {
  world = await openWorld();
  // As deployed: a company may not send more than its limit.
  const vars = { ...world.vars, RATE_LIMIT_PER_MINUTE: '1000' };
  shared = await startWorker({ bundle: inject('bundle'), vars, isolates: 3 });
});
afterAll(async () => {
  await shared.stop();
  await world.close();
});

/** Starts a caller. What it did is known when it has done it, or was told to stop. */
function start(order: Order): { report: Promise<Report>; stop(): void } {
  const child = fork(join(import.meta.dirname, '../../fairness/load.ts'));
  child.send(order);
  const report = once(child, 'message').then(([message]) => {
    child.disconnect();
    return message as Report;
  });
  return { report, stop: () => void child.send('stop') };
}

const quantile = (times: readonly number[], share: number): number =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;

/** What a bystander may wait at p95, ms, and as a multiple of what it waits when all is quiet on a machine that is never quiet. */
const LONGEST = 4000;
const NOISY = 12;

type Line = {
  name: string;
  read: [number, number];
  write: [number, number];
  refused: number;
  asked: number;
  storm: string;
};

/** What the bystander meets while `storm` goes on. */
async function under(name: string, caller: Caller, storm: () => Promise<Report | null>): Promise<Line> {
  const order: Calm = { ...caller, kind: 'calm', pauseMs: 15 };
  const bystander = start(order);
  const done = await storm();
  bystander.stop();
  const { reads, writes, statuses } = await bystander.report;
  const asked = reads.length + writes.length;
  return {
    name,
    read: [quantile(reads, 0.5), quantile(reads, 0.95)],
    write: [quantile(writes, 0.5), quantile(writes, 0.95)],
    refused: asked - (statuses[200] ?? 0),
    asked,
    storm:
      done === null
        ? ''
        : Object.entries(done.statuses)
            .map(([status, n]) => `${n} × ${status}`)
            .join(', '),
  };
}

function print(title: string, lines: readonly Line[]): void {
  const ms = ([p50, p95]: [number, number]): string => `${p50.toFixed(0)} / ${p95.toFixed(0)} ms`;
  const rows = lines.map(
    (line) =>
      `| ${line.name} | ${ms(line.read)} | ${ms(line.write)} | ${line.refused} of ${line.asked} | ${line.storm} |`,
  );
  console.log(
    [
      title,
      '| storm | GET p50 / p95 | PATCH p50 / p95 | not 200 | the storm was told |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  );
}

const held = async ({ companyId }: Tenant, seconds: number): Promise<void> =>
  withClient(world.adminUrl, async (console) => {
    await console.query('begin');
    await console.query('select 1 from company_heads where company_id = $1 for update', [uuidOf('comp', companyId)]);
    await pause(seconds * 1000);
    await console.query('rollback');
  });

test.each([
  ['one isolate', 1, null],
  ['three isolates, twenty backends', 3, 20],
] as const)('%s: a bystander waits no longer than it does when all is quiet', async (title, isolates, backends) => {
  const [{ name } = { name: '' }] = await world.sql<{ name: string }>('select current_database() as name');
  await world.sql(`alter database ${name} connection limit ${backends ?? -1}`);
  const urls = shared.urls.slice(0, isolates);
  const caller = async (): Promise<Caller & { tenant: Tenant }> => {
    const tenant = await signUp(world.api);
    const { json } = await tenant.api.at(urls[0] ?? '').post('/clients', { firstName: 'Ann' });
    return { urls, token: String(tenant.api.token), client: `/clients/${json.id}`, tenant };
  };
  type Storming = (
    send: (what: Omit<Storm, keyof Caller | 'kind'>) => Promise<Report>,
    tenant: Tenant,
  ) => Promise<Report | null>;
  // Companies of their own each time, so that nobody is refused for what they did before.
  const met = async (name: string, storming: Storming): Promise<Line> => {
    const [{ tenant: _, ...bystander }, { tenant, ...stormer }] = [await caller(), await caller()];
    return under(name, bystander, () =>
      storming((what) => start({ ...stormer, ...what, kind: 'storm' }).report, tenant),
    );
  };
  const writers = { body: 'patch', parallel: 24 } as const;
  await met('warm-up', () => pause(4000, null));
  const quiet = await met('quiet', () => pause(10_000, null));
  const lines = [
    await met('head held 10 s by a console, 24 writers', async (storm, tenant) => {
      const [done] = await Promise.all([storm({ ...writers, seconds: 9 }), held(tenant, 10)]);
      return done;
    }),
    await met('24 writers', (storm) => storm({ ...writers, seconds: 12 })),
    await met('40 parallel bulks of 500', (storm) => storm({ body: 'bulk', parallel: 40, seconds: 0 })),
    await met('1,000 parallel PATCHes', (storm) => storm({ body: 'patch', parallel: 1000, seconds: 0 })),
  ];
  print(title, [quiet, ...lines]);
  for (const line of lines) {
    expect(line.refused, line.name).toBe(0);
    expect(line.storm, 'every write was answered').not.toMatch(/× 0(,|$)/);
    // Callers, Worker, bridges and database share the cores with whatever else runs: what is held here is that nobody waits
    // for what the storm holds, which was 10 s. The table tells the rest.
    for (const [kind, p95] of [
      ['read', line.read[1]],
      ['write', line.write[1]],
    ] as const)
      expect(p95, line.name).toBeLessThan(Math.max(LONGEST, NOISY * quiet[kind][1]));
  }
});
