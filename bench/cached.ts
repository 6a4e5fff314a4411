import { availableParallelism, loadavg } from 'node:os';
import type { Api, Reply } from '../test/support/api.ts';
import { startBare } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type LoadGenerator, type LoadReport, startLoadGenerator } from './load.ts';
import { type LogFile, loggingToFile } from './log-file.ts';
import { measured } from './measured.ts';
import type { Bench, BenchWorker } from './stack.ts';
import { median, round } from './statistics.ts';
import { table } from './table.ts';
import { canReadCpu } from './workerd.ts';

const PATH = '/clients?limit=20';
const CONNECTIONS = 24;
const SECONDS = 2.5;

type Name = 'quiet' | 'logged' | 'bare' | 'headed' | 'logging';
type Runner = { name: Name; url: string; pid: number | null };
type Round = {
  worker: Name;
  round: number;
  requestsPerSecond: number;
  cpuUsPerRequest: number | null;
  p50Ms: number;
  p99Ms: number;
  postgresRequests: number;
  redisRequests: number;
};

/**
 * A cached list from memory, through authentication, rate limit and validity, ÷ a bare Hono Worker that answers the same
 * bytes, alone and with the headers that we must send; all on direct sockets, in turn. Once with LOG_LEVEL=warn (`ratio`), once with a log line per request.
 */
export async function cached({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const quiet = await bench.start({ LOG_LEVEL: 'warn' });
  const logged = await loggingToFile(bench.dir, 'logged', () => bench.start({ LOG_LEVEL: 'info' }));
  const { api } = await bench.company(quiet, 20);
  const { text: body, headers } = await warm(api, quiet);
  if ((await warm(api, logged)).text !== body) throw new Error('the two Workers answer different bytes');
  const bare = await startBare(bench, body);
  const headed = await startBare(bench, body, { headers: ours(headers) });
  const line = await lineOf(logged);
  const logging = await loggingToFile(bench.dir, 'logging', () =>
    startBare(bench, body, { headers: ours(headers), line }),
  );
  const generator = startLoadGenerator();
  try {
    const runners: Runner[] = [
      { name: 'quiet', ...quiet },
      { name: 'logged', ...logged },
      { name: 'bare', ...bare },
      { name: 'headed', ...headed },
      { name: 'logging', ...logging },
    ];
    const taken: Round[] = [];
    // Round 0 warms JIT and connections and is thrown away.
    for (let number = 0; number <= rounds; number++) {
      for (const runner of runners) {
        const result = await measure(bench, generator, runner, api, number);
        if (number > 0) taken.push(result);
      }
      if (number > 0) progress(`round ${number} of ${rounds}`);
    }
    await warm(api, quiet, body);
    return summary(taken, body, rounds);
  } finally {
    await generator.stop();
    await Promise.all([quiet.stop(), logged.stop(), bare.stop(), headed.stop(), logging.stop()]);
  }
}

/** The line of a request to the list, as the Worker wrote it. */
async function lineOf(log: LogFile): Promise<string> {
  const lines = (await log.text()).split('\n');
  const line = lines.findLast((each) => each.includes('\\"/clients\\"'));
  if (line === undefined) throw new Error('the Worker wrote no log line');
  return (JSON.parse(line) as { message: string }).message;
}

/** Asks until the answer comes from memory, and checks that it does. */
async function warm(api: Api, worker: BenchWorker, expected?: string): Promise<Reply> {
  const caller = Object.assign(api.as(api.token), { url: worker.url });
  const state = ({ status, headers }: Reply): string =>
    `${status} ${headers.get('x-cache')} ${headers.get('cache-status')}`;
  const fromMemory = (reply: Reply): boolean => /^200 HIT .*detail=memory$/.test(state(reply));
  let reply = await caller.get(PATH);
  // What was written just before may still be on its way to be announced.
  for (let tries = 0; expected === undefined && tries < 20 && !fromMemory(reply); tries += 1) {
    reply = await caller.get(PATH);
  }
  if (!fromMemory(reply)) throw new Error(`not from memory: ${state(reply)}`);
  if (expected !== undefined && reply.text !== expected) throw new Error('the answer changed under load');
  return reply;
}

/** The headers of an answer that are ours to send; the platform adds the others to every Worker's. */
const ours = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    [...headers].filter(
      ([name]) => !['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'].includes(name),
    ),
  );

async function measure(
  bench: Bench,
  generator: LoadGenerator,
  runner: Runner,
  api: Api,
  number: number,
): Promise<Round> {
  const { url, name } = runner;
  const postgres = bench.neon.counts().requests;
  const redis = bench.upstash.counts().requests;
  const list = { ...runner, url: `${url}/api/v1${PATH}` };
  const headers = { Authorization: `Bearer ${api.token}` };
  const report = await measured(generator, list, { headers, connections: CONNECTIONS, seconds: SECONDS });
  const used = report.cpuUsPerRequest;
  return {
    worker: name,
    round: number,
    requestsPerSecond: Math.round(report.requests / report.seconds),
    cpuUsPerRequest: used === null ? null : round(used, 1),
    ...latencies(report),
    postgresRequests: bench.neon.counts().requests - postgres,
    redisRequests: bench.upstash.counts().requests - redis,
  };
}

const latencies = ({ p50Ms, p99Ms }: LoadReport): { p50Ms: number; p99Ms: number } => ({ p50Ms, p99Ms });

function summary(measured: readonly Round[], body: string, rounds: number): BenchResult {
  const of = (worker: Name): Round[] => measured.filter((each) => each.worker === worker);
  const rate = (worker: Name): number => median(of(worker).map((each) => each.requestsPerSecond));
  const cpu = (worker: Name): number | null => {
    const values = of(worker).map((each) => each.cpuUsPerRequest);
    return values.some((value) => value === null) ? null : round(median(values.map(Number)), 1);
  };
  // Round by round, because the machine's pace drifts while both are measured.
  const paired = (worker: Name, ratio: (own: Round, bare: Round) => number, reference: Name = 'bare'): number =>
    round(median(of(worker).map((own, index) => ratio(own, of(reference)[index] as Round))), 3);
  const byRate = (own: Round, bare: Round): number => own.requestsPerSecond / bare.requestsPerSecond;
  const byCpu = (own: Round, bare: Round): number => Number(bare.cpuUsPerRequest) / Number(own.cpuUsPerRequest);
  const worst = (worker: Name): number => Math.max(...of(worker).map((each) => each.postgresRequests));
  const figures = {
    ratio: paired('quiet', byRate),
    ratioWithLogLines: paired('logged', byRate),
    ratioToHeaded: paired('quiet', byRate, 'headed'),
    ...(canReadCpu
      ? {
          cpuRatio: paired('quiet', byCpu),
          cpuRatioWithLogLines: paired('logged', byCpu),
          cpuRatioToHeaded: paired('quiet', byCpu, 'headed'),
        }
      : { cpuRatio: null, cpuAbsentBecause: `no /proc on ${process.platform}` }),
    requestsPerSecond: rate('quiet'),
    requestsPerSecondWithLogLines: rate('logged'),
    bareRequestsPerSecond: rate('bare'),
    headedRequestsPerSecond: rate('headed'),
    cpuUsPerRequest: cpu('quiet'),
    cpuUsPerRequestWithLogLines: cpu('logged'),
    bareCpuUsPerRequest: cpu('bare'),
    headedCpuUsPerRequest: cpu('headed'),
    logLineCpuUs: cpu('logged') === null ? null : round(Number(cpu('logged')) - Number(cpu('quiet')), 1),
    bareLogLineCpuUs: cpu('logging') === null ? null : round(Number(cpu('logging')) - Number(cpu('headed')), 1),
    saturatedP50Ms: median(of('quiet').map((each) => each.p50Ms)),
    saturatedP99Ms: median(of('quiet').map((each) => each.p99Ms)),
    bareSaturatedP99Ms: median(of('bare').map((each) => each.p99Ms)),
    headedSaturatedP99Ms: median(of('headed').map((each) => each.p99Ms)),
    bodyBytes: Buffer.byteLength(body),
    connections: CONNECTIONS,
    loadAverage1m: round(loadavg()[0] ?? 0, 1),
    processors: availableParallelism(),
    postgresRequestsWorstRound: Math.max(worst('quiet'), worst('logged')),
    rounds: measured,
  };
  const row = (label: string, worker: Name): (string | number)[] => [
    label,
    rate(worker),
    cpu(worker) ?? 'n/a',
    median(of(worker).map((each) => each.p50Ms)),
    median(of(worker).map((each) => each.p99Ms)),
    median(of(worker).map((each) => each.redisRequests)),
    median(of(worker).map((each) => each.postgresRequests)),
  ];
  const lines = [
    ...table([
      [`medians of ${rounds}`, 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms', 'Redis trips', 'Postgres trips'],
      row('Clients+, LOG_LEVEL=warn', 'quiet'),
      row('Clients+, LOG_LEVEL=info', 'logged'),
      row('bare Hono, same bytes', 'bare'),
      row('… and our headers', 'headed'),
      row('… and a line as long as ours', 'logging'),
    ]),
    `ratio ${figures.ratio} (CPU ${figures.cpuRatio}); with log lines ${figures.ratioWithLogLines}; to the one with our headers ${figures.ratioToHeaded}; wanted ≥ 0.65 and ≥ 0.9`,
    `a log line takes ${figures.logLineCpuUs} µs of CPU, one of the bare Worker ${figures.bareLogLineCpuUs}`,
    `load average ${figures.loadAverage1m} on ${figures.processors} processors; above them, trust the CPU ratio`,
  ];
  return { lines, figures };
}
