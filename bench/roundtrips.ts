import { setTimeout as pause } from 'node:timers/promises';
import type { Tenant } from '../test/support/api.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type Call, Client, type Timed } from './client.ts';
import {
  type Bridges,
  type Edge,
  KINDS,
  type Kind,
  POSTGRES_MS,
  REDIS_MS,
  type Series,
  summary,
} from './roundtrips-summary.ts';
import { type Bench, type BenchWorker, clientNumber } from './stack.ts';
import { median, round, sum } from './statistics.ts';

/** Wider than the slowest budget and what runs behind the answer. */
const EVERY_MS = 130;
const SAMPLES = 10;

/**
 * What an answer costs where Postgres is 40 ms and Redis 15 ms away: a hit in an isolate that has nothing (the entry is
 * in Redis), a miss, a write. Each round has a fresh Worker, so memory, the Cache API and the first request are its own.
 */
export async function roundtrips({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const warmer = await bench.start({ LOG_LEVEL: 'warn', EDGE_CACHE: 'off' });
  const tenant = await bench.company(warmer, 20);
  bench.neon.setDelay(POSTGRES_MS);
  bench.upstash.setDelay(REDIS_MS);
  try {
    const bridges = await bridgeTimes(bench);
    const series: Series[] = [];
    const first: { edgeCache: Edge; round: number; ms: number }[] = [];
    let number = 0;
    for (let current = 1; current <= rounds; current++) {
      for (const edgeCache of ['off', 'on'] as const) {
        const worker = await bench.start({ LOG_LEVEL: 'warn', EDGE_CACHE: edgeCache });
        const client = new Client(worker.url);
        const lists = Array.from({ length: SAMPLES + 1 }, () => list(tenant, number++));
        await warm(warmer, lists);
        const [opening, ...colds] = lists;
        const known = colds.map(() => opening as Call);
        first.push({ edgeCache, round: current, ms: round((await client.ask(opening as Call)).ms) });
        const misses = Array.from({ length: SAMPLES }, () => list(tenant, number++));
        const writes = Array.from({ length: SAMPLES }, () => creation(tenant, number++));
        // The memory hits come while the readings of the first request are fresh: no trip at all.
        const kinds: [Kind, Call[]][] = [
          ['memoryHit', known],
          ['coldHit', colds],
          ['miss', misses],
          ['write', writes],
        ];
        for (const [kind, calls] of kinds) {
          series.push({ kind, edgeCache, round: current, ...(await measure(bench, client, kind, calls)) });
        }
        client.close();
        await worker.stop();
      }
      progress(`round ${current} of ${rounds}`);
    }
    return summary(series, first, bridges);
  } finally {
    bench.neon.setDelay(0);
    bench.upstash.setDelay(0);
    await warmer.stop();
  }
}

/** A list that nobody has asked for: every number is another instant. */
function list(tenant: Tenant, number: number): Call {
  const after = new Date(Date.UTC(2020, 0, 1) + number).toISOString();
  return {
    path: `/api/v1/clients?limit=20&createdAfter=${after}`,
    headers: { Authorization: `Bearer ${tenant.api.token}` },
  };
}

function creation(tenant: Tenant, number: number): Call {
  return {
    method: 'POST',
    path: '/api/v1/clients',
    headers: { Authorization: `Bearer ${tenant.api.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(clientNumber(100_000 + number)),
  };
}

/** Has another Worker compute the answers, and waits until it has written them to Redis. */
async function warm(warmer: BenchWorker, calls: readonly Call[]): Promise<void> {
  const client = new Client(warmer.url);
  for (const answer of await client.series(calls, 20)) check(answer, 200);
  await pause(4 * REDIS_MS + 40);
  client.close();
}

async function measure(
  bench: Bench,
  client: Client,
  kind: Kind,
  calls: readonly Call[],
): Promise<Omit<Series, 'kind' | 'edgeCache' | 'round'>> {
  const redis = bench.upstash.counts().requests;
  const postgres = bench.neon.counts().requests;
  const answers = await client.series(calls, EVERY_MS);
  await pause(EVERY_MS);
  const per = (count: number): number => round(count / calls.length);
  for (const answer of answers) {
    check(answer, kind === 'write' ? 201 : 200);
    const { cache } = KINDS[kind];
    const found = answer.headers['x-cache'];
    if (cache !== null && found !== cache) throw new Error(`a ${kind} was answered as ${String(found)}`);
  }
  return {
    ms: answers.map((answer) => round(answer.ms)),
    ownMs: answers.map(ownMs),
    redisTripsPerAnswer: per(sum(answers.map((answer) => trips(answer, 'redis')))),
    postgresTripsPerAnswer: per(sum(answers.map((answer) => trips(answer, 'db')))),
    redisRequestsPerAnswer: per(bench.upstash.counts().requests - redis),
    postgresRequestsPerAnswer: per(bench.neon.counts().requests - postgres),
  };
}

function check(answer: Timed, status: number): void {
  if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`);
}

/** What of an answer's time was the Worker's own, to 1 ms: what Server-Timing says less what it waited for. */
function ownMs(answer: Timed): number {
  const timing = String(answer.headers['server-timing'] ?? '');
  const of = (name: string): number => Number(new RegExp(`${name};dur=([0-9]+)`).exec(timing)?.[1] ?? 0);
  return Math.max(0, of('total') - of('redis') - of('db'));
}

/** `redis;dur=16;desc="1"` → 1 */
function trips(answer: Timed, name: 'redis' | 'db'): number {
  const found = new RegExp(`${name};dur=[0-9]+;desc="([0-9]+)"`).exec(String(answer.headers['server-timing'] ?? ''));
  return Number(found?.[1] ?? 0);
}

/** What a bare trip to each bridge takes with its delay: timers and the machine add to the nominal figure. */
async function bridgeTimes(bench: Bench): Promise<Bridges> {
  const redis = new Client(`http://127.0.0.1:${bench.upstash.port}`);
  const postgres = new Client(`http://127.0.0.1:${bench.neon.port}`);
  const ping = {
    method: 'POST',
    path: '/',
    headers: { Authorization: `Bearer ${bench.vars.UPSTASH_REDIS_REST_TOKEN}` },
    body: '["PING"]',
  };
  const select = {
    method: 'POST',
    path: '/sql',
    headers: { 'Neon-Connection-String': String(bench.vars.DATABASE_URL) },
    body: '{"query":"select 1","params":[]}',
  };
  const times = async (client: Client, call: Call): Promise<number> => {
    const answers = await client.series(Array(SAMPLES + 1).fill(call), 60);
    for (const answer of answers) check(answer, 200);
    client.close();
    return round(median(answers.slice(1).map((answer) => answer.ms)));
  };
  return { redisMs: await times(redis, ping), postgresMs: await times(postgres, select) };
}
