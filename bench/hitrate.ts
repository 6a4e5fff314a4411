import { randomUUID } from 'node:crypto';
import { startRedis } from '../local/redis.ts';
import { startUpstashBridge } from '../local/upstash.ts';
import type { Api, Reply } from '../test/support/api.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { add, type Counts, Judge, none, type Truth } from './hitrate-judge.ts';
import {
  analyticsOf,
  BRANCHES,
  CLIENTS,
  type CompanyIds,
  DAYS,
  nameOf,
  type ReadKind,
  type Step,
  trace,
  type Write,
} from './hitrate-trace.ts';
import type { Bench, BenchWorker } from './stack.ts';
import { round } from './statistics.ts';
import { table } from './table.ts';

const COMPANIES = 50;
const SHARES = (process.env.HITRATE_WRITES ?? '1,5,20').split(',').map((share) => Number(share) / 100);
const SEED = Number(process.env.HITRATE_SEED ?? 20_261);
/** Steps of each share and round, after as many that only warm. */
const STEPS = Number(process.env.HITRATE_STEPS ?? 1500);

const SCOPES = [
  ...[
    'clients:write',
    'catalog:write',
    'appointments:write',
    'appointments:overlap',
    'invoices:write',
    'payments:write',
  ],
  'analytics:read',
];

type Company = CompanyIds & {
  api: Api;
  truth: Api;
  staff: readonly string[];
  services: readonly string[];
  invoice: string;
  writtenAt: number;
};

type Taken = { writes: number; round: number; counts: ReadonlyMap<ReadKind, Counts> };

/**
 * The reference workload of the contract: how many reads are answered without Postgres, beside a cache that knows what really
 * changed, and whether each is what an uncached answer of another Worker, with a Redis of its own, says right behind it.
 */
export async function hitrate({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const redis = await startRedis();
  const apart = await startUpstashBridge({ redisPort: redis.port, token: String(bench.vars.UPSTASH_REDIS_REST_TOKEN) });
  const truth = await bench.start({
    ...{ LOG_LEVEL: 'warn', EDGE_CACHE: 'off' },
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${apart.port}`,
  });
  try {
    const companies: Company[] = [];
    while (companies.length < COMPANIES) companies.push(await company(bench, worker, truth));
    progress(`${COMPANIES} companies are there`);
    const taken: Taken[] = [];
    const judge = new Judge();
    for (let number = 1; number <= rounds; number += 1)
      for (const writes of SHARES) {
        const steps = trace(SEED + number, COMPANIES, writes);
        for (const phase of ['warm', 'counted'] as const) {
          for (let done = 0; done < STEPS; done += 1) await take(steps.next().value, companies, judge);
          const counts = judge.take();
          if (phase === 'counted') taken.push({ writes, round: number, counts });
        }
        progress(`round ${number} of ${rounds}, ${100 * writes} % writes`);
      }
    return summary(taken);
  } finally {
    await Promise.all([worker.stop(), truth.stop()]);
    await apart.stop();
    await redis.stop();
  }
}

async function take(step: Step, companies: readonly Company[], judge: Judge): Promise<void> {
  const of = companies[step.company] as Company;
  const question = (path: string): string => `${step.company} ${path}`;
  const truthOf = async (path: string): Promise<Truth> => {
    const { text } = ok(await of.truth.get(path, { headers: { 'Cache-Control': 'no-cache' } }));
    return { key: question(path), truth: text, writtenAt: of.writtenAt };
  };
  if (step.kind === 'write') {
    ok(await write(of, step.write));
    of.writtenAt = Date.now();
    // They may be of any moment of the last minute.
    for (const path of analyticsOf(of.days)) if (judge.knows(question(path))) judge.learn(await truthOf(path));
    return;
  }
  const path = step.path(of);
  const at = Date.now();
  const answer = ok(await of.api.get(path));
  const verdict = judge.read({
    ...{ kind: step.kind, isHit: isHit(answer), text: answer.text, at },
    ...(await truthOf(path)),
  });
  if (verdict === 'wrong') console.error(`wrong: ${path}\n${answer.text}`);
}

function ok(reply: Reply): Reply {
  if (reply.status >= 300) throw new Error(`answered ${reply.status}: ${reply.text}`);
  return reply;
}

/** Without Postgres, by what the answer says of itself. */
const isHit = ({ headers }: Reply): boolean =>
  /^(?:HIT|STALE)$/.test(headers.get('x-cache') ?? '') && !/\bdb;/.test(headers.get('server-timing') ?? '');

function write({ api, branches, staff, services, clients, days, invoice }: Company, order: Write): Promise<Reply> {
  const headers = { 'Idempotency-Key': randomUUID() };
  switch (order.what) {
    case 'client':
      return api.patch(`/clients/${clients[order.client]}`, { notes: `note ${order.note}` });
    case 'payment': {
      const amount = { amount: 1, currency: 'EUR' };
      return api.post('/payments', { invoiceId: invoice, amount, method: 'CASH' }, { headers });
    }
    case 'appointment': {
      const time = `${String(8 + Math.floor(order.minute / 60)).padStart(2, '0')}:${String(order.minute % 60).padStart(2, '0')}`;
      const body = {
        ...{ branchId: branches[order.branch], staffId: staff[order.branch], clientId: clients[order.client] },
        ...{ services: [{ serviceId: services[0] }], localStart: `${days[order.day]}T${time}`, allowOverlap: true },
      };
      return api.post('/appointments', body, { headers });
    }
  }
}

/** A company as the workload wants it. */
async function company(bench: Bench, worker: BenchWorker, truth: BenchWorker): Promise<Company> {
  const owner = (await bench.company(worker, 0)).api;
  // A key outlives the ten minutes of a token.
  const key = ok(await owner.post('/api-keys', { name: 'bench', scopes: SCOPES }));
  const api = owner.as(String(key.json.secret));
  const made = async (path: string, body: unknown): Promise<Reply['json']> => {
    return ok(await api.post(path, body)).json;
  };
  const bulk = async (path: string, items: readonly unknown[]): Promise<string[]> => {
    const { data } = (await made(`${path}/bulk`, { mode: 'atomic', items })) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  };
  const each = <T>(count: number, of: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => of(n));
  const branches = await bulk(
    '/branches',
    each(BRANCHES, (n) => ({ name: `Branch ${n}`, timeZone: 'UTC' })),
  );
  const price = { amount: 4000, currency: 'EUR' };
  const services = await bulk(
    '/services',
    each(5, (n) => ({ name: `Service ${n}`, durationMinutes: 30, price })),
  );
  const staff = await bulk(
    '/staff',
    each(BRANCHES, (n) => ({ firstName: `Staff ${n}`, branchIds: [branches[n]], serviceIds: services })),
  );
  const clients = await bulk(
    '/clients',
    each(CLIENTS, (n) => ({ ...nameOf(n), email: `client-${n}@example.com` })),
  );
  const today = Date.now();
  const days = each(DAYS, (n) => new Date(today + (n - 3) * 86_400_000).toISOString().slice(0, 10));
  await bulk(
    '/appointments',
    each(BRANCHES * DAYS * 6, (n) => ({
      ...{ branchId: branches[n % BRANCHES], staffId: staff[n % BRANCHES], clientId: clients[n] },
      ...{ services: [{ serviceId: services[n % 5] }], allowOverlap: true },
      localStart: `${days[Math.floor(n / BRANCHES) % DAYS]}T${String(8 + (n % 10)).padStart(2, '0')}:00`,
    })),
  );
  const lines = [
    { kind: 'OTHER', description: 'Paid in parts', quantity: 1, unitPrice: { amount: 1_000_000, currency: 'EUR' } },
  ];
  const invoice = String((await made('/invoices', { branchId: branches[0], lines })).id);
  await made(`/invoices/${invoice}/finalize`, {});
  return { api, truth: api.at(truth.url), branches, services, staff, clients, days, invoice, writtenAt: Date.now() };
}

function summary(taken: readonly Taken[]): BenchResult {
  const percent = (part: number, { reads }: Counts): number => round((100 * part) / reads, 1);
  const rows: (string | number)[][] = [['', 'reads', 'hits %', 'oracle %', 'stale', 'wrong']];
  const row = (name: string, of: Counts): (string | number)[] => [
    ...[name, of.reads, percent(of.hits, of), percent(of.oracle, of), of.stale, of.wrong],
  ];
  const figures: Record<string, unknown> = {};
  for (const writes of SHARES) {
    const all = none();
    const kinds = new Map<ReadKind, Counts>();
    for (const each of taken.filter((one) => one.writes === writes))
      for (const [kind, counts] of each.counts) {
        const sum = kinds.get(kind) ?? none();
        add(sum, counts);
        add(all, counts);
        kinds.set(kind, sum);
      }
    rows.push(row(`${100 * writes} % writes`, all), ...[...kinds].map(([kind, counts]) => row(`  ${kind}`, counts)));
    figures[`${100 * writes}PercentWrites`] = {
      ...{ ratio: round(all.hits / all.oracle, 3), hitRate: round(all.hits / all.reads, 4) },
      ...{ oracleHitRate: round(all.oracle / all.reads, 4), reads: all.reads },
      ...{ staleAnswers: all.stale, wrongAnswers: all.wrong, kinds: Object.fromEntries(kinds) },
    };
  }
  const raw = taken.map(({ counts, ...each }) => ({ ...each, kinds: Object.fromEntries(counts) }));
  const more = { companies: COMPANIES, seed: SEED, stepsPerShare: STEPS, rounds: raw };
  return { lines: table(rows), figures: { ...figures, ...more } };
}
