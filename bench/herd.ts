import { join } from 'node:path';
import { freePort } from '../local/ports.ts';
import { bundleHalf, startApi, startRooms } from '../test/support/apart.ts';
import { Api, signUp } from '../test/support/api.ts';
import { type PlainWorker, startPlain } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { bundleOther } from './bundle.ts';
import { type Generator, startGenerator } from './load.ts';
import { type Bench, LIMITS, withPid } from './stack.ts';
import { median, quantile, round } from './statistics.ts';
import { table } from './table.ts';
import { canReadCpu, cpuMs } from './workerd.ts';

/** All connections a company may have. */
const SOCKETS = 100;
const ROOMS = [10, 50];
/** Logging is measured elsewhere. All sockets of a room are of one person, whose messages a room counts together. */
const VARS = { LOG_LEVEL: 'warn', ROOM_MESSAGES_PER_MINUTE: '10000' };

export type HerdRoom = { token: string };
export type HerdOrder =
  | { kind: 'seat'; url: string; rooms: readonly HerdRoom[]; sockets: number }
  /** Waits until all are back; `since` ms since 1970. */
  | { kind: 'back'; since: number };
export type HerdReport = {
  /** Of each socket, from when the Worker was there again until it was told where it is, ms. */
  backMs: number[];
  /** Sockets that had to load anew. */
  anew: number;
  cpuMs: number;
};

/** What is killed under its sockets, and stands again at the same address. */
type Side = {
  start(): Promise<PlainWorker>;
  /** Where tickets are given; absent: where sockets are opened. */
  url?: string;
  rooms(count: number): Promise<HerdRoom[]>;
};
type Measured = { p50Ms: number; p99Ms: number; queries: number; cpuMs: number; generatorCpuMs: number };

/**
 * A hundred sockets of each of many companies whose Worker is killed come back, all at once: how long that takes, beside the
 * least that a Worker and its rooms can do for them on this machine.
 */
export async function herd({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const apart = await apartOf(bench);
  const sides = { ours: await oursOf(bench), apart, bare: await bareOf(bench) };
  const measured: Record<string, Measured[]> = {};
  for (let number = 1; number <= rounds; number += 1)
    for (const rooms of ROOMS)
      for (const [name, side] of Object.entries(sides)) {
        const each = await comeBack(bench, side, rooms);
        const key = `${name}, ${rooms} rooms`;
        measured[key] = [...(measured[key] ?? []), each];
        progress(`round ${number} of ${rounds}: ${key}: p99 ${each.p99Ms} ms`);
      }
  await apart.close();
  const middle = (key: string, of: keyof Measured): number => median((measured[key] ?? []).map((each) => each[of]));
  const columns = ['p50Ms', 'p99Ms', 'queries', 'cpuMs', 'generatorCpuMs'] as const;
  return {
    lines: [
      `${SOCKETS} sockets a room; CPU of the Worker and of the clients' process, ms a socket`,
      ...table([
        ['', 'p50 ms', 'p99 ms', 'to Postgres', 'CPU', 'clients'],
        ...Object.keys(measured).map((key) => [key, ...columns.map((column) => middle(key, column))]),
      ]),
    ],
    figures: { sockets: SOCKETS, ...measured },
  };
}

async function comeBack({ neon }: Bench, side: Side, count: number): Promise<Measured> {
  const generator: Generator<HerdOrder, HerdReport> = startGenerator('herd-process.ts');
  let worker = await side.start();
  try {
    const rooms = await side.rooms(count);
    await generator.run({ kind: 'seat', url: side.url ?? worker.url, rooms, sockets: SOCKETS });
    if (worker.pid !== null) process.kill(worker.pid, 'SIGKILL');
    await worker.stop();
    worker = await side.start();
    const since = performance.timeOrigin + performance.now();
    const { pid } = worker;
    const before = canReadCpu && pid !== null ? await cpuMs(pid) : Number.NaN;
    let queries = 0;
    neon.setHooks({
      onRequest() {
        queries += 1;
      },
    });
    const { backMs, anew, cpuMs: generatorCpuMs } = await generator.run({ kind: 'back', since });
    neon.setHooks({ onRequest: null });
    const used = canReadCpu && pid !== null ? (await cpuMs(pid)) - before : Number.NaN;
    if (anew > 0) throw new Error(`${anew} sockets had to load anew`);
    return {
      p50Ms: round(quantile(backMs, 0.5), 0),
      p99Ms: round(quantile(backMs, 0.99), 0),
      queries,
      cpuMs: round(used / backMs.length, 2),
      generatorCpuMs: round(generatorCpuMs / backMs.length, 2),
    };
  } finally {
    await generator.stop();
    await worker.stop();
  }
}

async function oursOf(bench: Bench): Promise<Side> {
  const place = { port: await freePort(), persist: join(bench.dir, 'herd') };
  let current: Awaited<ReturnType<Bench['start']>>;
  return {
    async start() {
      current = await bench.start(VARS, place);
      return current;
    },
    rooms: (count) => signedUp(current.url, count),
  };
}

/** Rooms as a Worker of their own, which is what is killed: deploying the API beside it drops no socket. */
async function apartOf(bench: Bench): Promise<Side & { url: string; close(): Promise<void> }> {
  const dir = join(bench.dir, 'apart');
  const [roomsBundle, apiBundle] = [
    await bundleHalf('wrangler.rooms.toml', join(dir, 'rooms')),
    await bundleHalf('wrangler.api.toml', join(dir, 'api')),
  ];
  const port = await freePort();
  const registry = join(dir, 'registry');
  const vars = { ...bench.vars, ...LIMITS, ...VARS, ROOMS_URL: `http://127.0.0.1:${port}` };
  const place = { bundle: roomsBundle, vars, registry, port, persist: join(dir, 'herd') };
  let first: PlainWorker | null = await withPid(() => startRooms(place));
  const api = await startApi({ bundle: apiBundle, vars, registry });
  return {
    url: api.url,
    async start() {
      const started = first ?? (await withPid(() => startRooms(place)));
      first = null;
      return started;
    },
    rooms: (count) => signedUp(api.url, count),
    close: () => api.stop(),
  };
}

async function signedUp(url: string, count: number): Promise<HerdRoom[]> {
  const rooms: HerdRoom[] = [];
  while (rooms.length < count) rooms.push({ token: String((await signUp(new Api(url))).api.token) });
  return rooms;
}

async function bareOf({ dir }: Bench): Promise<Side> {
  const bundle = await bundleOther(join(import.meta.dirname, 'bare-herd.ts'), join(dir, 'bare-herd'));
  const port = await freePort();
  return {
    start: () => startPlain(bundle, {}, { ROOMS: { className: 'HerdRoom', useSQLite: true } }, port),
    rooms: async (count) => Array.from({ length: count }, (_, n) => ({ token: `room${n}` })),
  };
}
