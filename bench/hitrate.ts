import { startRedis } from '../local/redis.ts';
import { startUpstashBridge } from '../local/upstash.ts';
import type { Reply } from '../test/support/api.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type Company, company, type Isolates, ok, write } from './hitrate-company.ts';
import { add, type Counts, Judge, type JudgedKind, none, type Truth } from './hitrate-judge.ts';
import { analyticsOf, type Manner, type Step, trace } from './hitrate-trace.ts';
import { round } from './statistics.ts';
import { table } from './table.ts';

const COMPANIES = 50;
const SHARES = (process.env.HITRATE_WRITES ?? '1,5,20').split(',').map((share) => Number(share) / 100);
const SEED = Number(process.env.HITRATE_SEED ?? 20_261);
/** Steps of each share and round, after as many that only warm. */
const STEPS = Number(process.env.HITRATE_STEPS ?? 1000);

/** One share of writes, made at the isolate that is read from or at another, which it hears of by Redis alone. */
type Case = { name: string; writes: number; at: 'api' | 'elsewhere' };
const CASES: readonly Case[] = [
  ...SHARES.map((writes): Case => ({ name: `${100 * writes} % writes`, writes, at: 'api' })),
  { name: '5 % writes, elsewhere', writes: 0.05, at: 'elsewhere' },
];

/** How often what was checked: answers with the revision of one's own write, 304s, reads with another company's words. */
type Checks = Record<'exact' | 'notModified' | 'foreign', number>;
type Taken = { name: string; round: number; checks: Checks; counts: ReadonlyMap<JudgedKind, Counts> };

/**
 * The reference workload of the contract: how many reads are answered without Postgres, beside a cache that knows what really
 * changed, and whether each is what an uncached answer of another Worker, with a Redis of its own, says right behind it.
 */
export async function hitrate({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const elsewhere = await bench.start({ LOG_LEVEL: 'warn' });
  const redis = await startRedis();
  const apart = await startUpstashBridge({ redisPort: redis.port, token: String(bench.vars.UPSTASH_REDIS_REST_TOKEN) });
  const truth = await bench.start({
    ...{ LOG_LEVEL: 'warn', EDGE_CACHE: 'off' },
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${apart.port}`,
  });
  const isolates: Isolates = { worker, elsewhere, truth };
  try {
    const companies: Company[] = [];
    while (companies.length < COMPANIES) companies.push(await company(bench, isolates));
    progress(`${COMPANIES} companies are there`);
    const taken: Taken[] = [];
    const judge = new Judge();
    for (let number = 1; number <= rounds; number += 1)
      for (const { name, writes, at } of CASES) {
        const steps = trace(SEED + number, COMPANIES, writes);
        for (const phase of ['warm', 'counted'] as const) {
          const checks: Checks = { exact: 0, notModified: 0, foreign: 0 };
          for (let done = 0; done < STEPS; done += 1) await take(steps.next().value, { companies, judge, checks, at });
          const counts = judge.take();
          if (phase === 'counted') taken.push({ name, round: number, checks, counts });
        }
        progress(`round ${number} of ${rounds}, ${name}`);
      }
    return summary(taken);
  } finally {
    await Promise.all([worker.stop(), elsewhere.stop(), truth.stop()]);
    await apart.stop();
    await redis.stop();
  }
}

type Course = Pick<Case, 'at'> & { companies: readonly Company[]; judge: Judge; checks: Checks };

async function take(step: Step, { companies, judge, checks, at }: Course): Promise<void> {
  const of = companies[step.company] as Company;
  if (step.kind === 'write') {
    of.revision = ok(await write(of[at], of, step.write)).revision;
    of.writtenAt = Date.now();
    // They may be of any moment of the last minute.
    for (const path of analyticsOf(of.days))
      if (judge.knows(questionOf(step.company, path))) judge.learn(await truthOf(of, step.company, path));
    return;
  }
  const path = step.path(of);
  await ask(of, step.company, path, step.kind, headersOf(step.manner, of, path));
  if (step.manner !== 'foreign') return;
  const other = (step.company + 1) % companies.length;
  await ask(companies[other] as Company, other, path, 'foreign', {});
  checks.foreign += 1;

  /** Asks the Worker under test, then what is true, and has the one judged by the other. */
  async function ask(
    who: Company,
    number: number,
    path: string,
    kind: JudgedKind,
    headers: Record<string, string>,
  ): Promise<void> {
    const asked = Date.now();
    const answer = await who.api.get(path, { headers });
    const held = who.held.get(path);
    // What 304 says is that the answer at hand is the one.
    const text = answer.status === 304 && held !== undefined ? held.text : said(answer);
    const etag = answer.headers.get('etag');
    if (etag !== null) who.held.set(path, { etag, text });
    if (answer.status === 304) checks.notModified += 1;
    const isExact = headers['Min-Revision'] !== undefined;
    if (isExact) checks.exact += 1;
    const truth = await truthOf(who, number, path);
    const verdict = judge.read({ kind, isHit: isHit(answer), isExact, text, at: asked, ...truth });
    if (verdict === 'wrong' || verdict === 'late')
      console.error(`${verdict}: ${path} ${JSON.stringify(headers)}\n${text}`);
  }
}

const questionOf = (company: number, path: string): string => `${company} ${path}`;

/** Computed anew, apart from what is under test. */
async function truthOf(of: Company, number: number, path: string): Promise<Truth> {
  const answer = await of.truth.get(path, { headers: { 'Cache-Control': 'no-cache' } });
  return { key: questionOf(number, path), truth: said(answer), writtenAt: of.writtenAt };
}

function headersOf(manner: Manner, { revision, held }: Company, path: string): Record<string, string> {
  const etag = held.get(path)?.etag;
  if (manner === 'own' && revision > 0) return { 'Min-Revision': String(revision) };
  return manner === 'held' && etag !== undefined ? { 'If-None-Match': etag } : {};
}

/** The body; of another company's row, that it is not there, which is told with another request's id each time. */
function said(reply: Reply): string {
  return reply.status === 404 ? '404' : ok(reply).text;
}

/** Without Postgres, by what the answer says of itself. */
const isHit = ({ headers }: Reply): boolean =>
  /^(?:HIT|STALE)$/.test(headers.get('x-cache') ?? '') && !/\bdb;/.test(headers.get('server-timing') ?? '');

function summary(taken: readonly Taken[]): BenchResult {
  const percent = (part: number, { reads }: Counts): number => round((100 * part) / reads, 1);
  const rows: (string | number)[][] = [['', 'reads', 'hits %', 'oracle %', 'stale', 'late', 'wrong']];
  const row = (name: string, of: Counts): (string | number)[] => [
    ...[name, of.reads, percent(of.hits, of), percent(of.oracle, of), of.stale, of.late, of.wrong],
  ];
  const figures: Record<string, unknown> = {};
  for (const { name } of CASES) {
    const all = none();
    const kinds = new Map<JudgedKind, Counts>();
    const checks: Checks = { exact: 0, notModified: 0, foreign: 0 };
    for (const each of taken.filter((one) => one.name === name)) {
      for (const what of Object.keys(checks) as (keyof Checks)[]) checks[what] += each.checks[what];
      for (const [kind, counts] of each.counts) {
        const sum = kinds.get(kind) ?? none();
        add(sum, counts);
        if (kind !== 'foreign') add(all, counts);
        kinds.set(kind, sum);
      }
    }
    const unkept = [...kinds.values()].reduce(
      (sum, { late, wrong }) => ({ late: sum.late + late, wrong: sum.wrong + wrong }),
      { late: 0, wrong: 0 },
    );
    rows.push(row(name, all), ...[...kinds].map(([kind, counts]) => row(`  ${kind}`, counts)));
    figures[figureOf(name)] = {
      ...{ ratio: round(all.hits / all.oracle, 3), hitRate: round(all.hits / all.reads, 4) },
      ...{ oracleHitRate: round(all.oracle / all.reads, 4), reads: all.reads },
      ...{
        staleAnswers: all.stale,
        lateAnswers: unkept.late,
        wrongAnswers: unkept.wrong,
        checks,
        kinds: Object.fromEntries(kinds),
      },
    };
  }
  const raw = taken.map(({ counts, ...each }) => ({ ...each, kinds: Object.fromEntries(counts) }));
  const more = { companies: COMPANIES, seed: SEED, stepsPerShare: STEPS, rounds: raw };
  return { lines: table(rows), figures: { ...figures, ...more } };
}

/** `5PercentWrites`, and `5PercentWritesElsewhere`. */
const figureOf = (name: string): string =>
  name.replace(' % writes', 'PercentWrites').replace(', elsewhere', 'Elsewhere');
