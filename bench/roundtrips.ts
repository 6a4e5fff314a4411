import { setTimeout as pause } from 'node:timers/promises';
import type { Tenant } from '../test/support/api.ts';
import { startBare } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type Call, Client, type Timed } from './client.ts';
import {
  type Edge,
  KINDS,
  type Kind,
  POSTGRES_MS,
  REDIS_MS,
  type Series,
  summary,
  TRIPPED,
} from './roundtrips-summary.ts';
import { type Bench, type BenchWorker, clientNumber } from './stack.ts';
import { round, sum } from './statistics.ts';

/** Calls per kind and round: under load, and at rest. */
const SAMPLES = { load: 240, rest: 10 };
/** Between calls at rest: wider than the slowest budget and what runs behind the answer. */
const REST_MS = 130;
/** More than are ever under way. */
const CONNECTIONS = 32;
/** Calls of each kind before the measured ones, so that neither the engine nor a connection is new to them. */
const WARM_UP = 150;

/**
 * What an answer costs where Postgres is 40 ms and Redis 15 ms away: a hit in an isolate that does not hold the entry
 * (Redis does), a miss, a write. Each round has a fresh Worker, so memory and the Cache API are its own; its first
 * request is told apart, and the others come once it has answered many of their kind.
 */
export async function roundtrips({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const warmer = await bench.start({ LOG_LEVEL: 'warn', EDGE_CACHE: 'off' });
  const tenant = await bench.company(warmer, 20);
  let number = 0;
  const lists = (count: number): Call[] => Array.from({ length: count }, () => list(tenant, number++));
  const writes = (count: number): Call[] => Array.from({ length: count }, () => creation(tenant, number++));
  const far = (yes: boolean): void => {
    bench.neon.setDelay(yes ? POSTGRES_MS : 0);
    bench.upstash.setDelay(yes ? REDIS_MS : 0);
  };
  const body = (await new Client(warmer.url).ask(list(tenant, number++))).text;
  await setEntry(bench, body);
  const bare = await startBare(bench, body);
  const bareClient = new Client(bare.url, CONNECTIONS);
  try {
    const series: Series[] = [];
    const first: { edgeCache: Edge; round: number; ms: number }[] = [];
    for (const kind of TRIPPED) await practise(bareClient, Array(WARM_UP).fill({ path: `/${kind}` }));
    for (let current = 1; current <= rounds; current++) {
      for (const edgeCache of ['off', 'on'] as const) {
        const worker = await bench.start({ LOG_LEVEL: 'warn', EDGE_CACHE: edgeCache });
        const client = new Client(worker.url, CONNECTIONS);
        const [opening] = lists(1) as [Call];
        await fill(warmer, [opening]);
        far(true);
        first.push({ edgeCache, round: current, ms: round((await client.ask(opening)).ms) });
        far(false);
        await practise(client, writes(WARM_UP));
        const practice = lists(WARM_UP);
        await fill(warmer, practice);
        for (const calls of [practice, practice, lists(WARM_UP)]) await practise(client, calls);
        // Miniflare's Cache API is a queue in front of files: under load it would be what is measured.
        for (const pace of edgeCache === 'on' ? (['rest'] as const) : (['load', 'rest'] as const)) {
          const samples = SAMPLES[pace];
          const colds = lists(samples);
          const known = lists(1);
          await fill(warmer, [...colds, ...known]);
          far(true);
          await client.ask(known[0] as Call);
          // The memory hits come while the readings of the request before are fresh: no trip at all.
          const kinds: [Kind, Call[]][] = [
            ['memoryHit', Array(samples).fill(known[0])],
            ['coldHit', colds],
            ['miss', lists(samples)],
            ['write', writes(samples)],
          ];
          for (const [kind, calls] of kinds) {
            const everyMs = pace === 'load' ? KINDS[kind].everyMs : REST_MS;
            const path = kind === 'memoryHit' ? '/api/v1/clients' : `/${kind}`;
            const reference = await bareClient.series(Array(samples).fill({ path }), everyMs);
            await pause(REST_MS);
            series.push({
              ...{ kind, edgeCache, pace, round: current, bareMs: reference.map((answer) => round(answer.ms)) },
              ...(await measure(bench, client, kind, calls, everyMs)),
            });
          }
          far(false);
        }
        client.close();
        await worker.stop();
      }
      progress(`round ${current} of ${rounds}`);
    }
    return summary(series, first);
  } finally {
    far(false);
    bareClient.close();
    await Promise.all([bare.stop(), warmer.stop()]);
  }
}

/** One after another, as fast as they are answered. */
async function practise(client: Client, calls: readonly Call[]): Promise<void> {
  for (const call of calls) check(await client.ask(call), call.method === 'POST' ? 201 : 200);
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
async function fill(warmer: BenchWorker, calls: readonly Call[]): Promise<void> {
  const client = new Client(warmer.url);
  await practise(client, calls);
  await pause(100);
  client.close();
}

async function measure(
  bench: Bench,
  client: Client,
  kind: Kind,
  calls: readonly Call[],
  everyMs: number,
): Promise<Omit<Series, 'kind' | 'edgeCache' | 'pace' | 'round' | 'bareMs'>> {
  const redis = bench.upstash.counts().requests;
  const postgres = bench.neon.counts().requests;
  const answers = await client.series(calls, everyMs);
  await pause(REST_MS);
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

/** The entry that the bare Worker fetches: as many bytes as ours. */
async function setEntry({ upstash, vars }: Bench, text: string): Promise<void> {
  const client = new Client(`http://127.0.0.1:${upstash.port}`);
  const headers = { Authorization: `Bearer ${vars.UPSTASH_REDIS_REST_TOKEN}` };
  check(
    await client.ask({ method: 'POST', path: '/', headers, body: JSON.stringify(['SET', 'bare:entry', text]) }),
    200,
  );
  client.close();
}
