import { join } from 'node:path';
import { freePort } from '../local/ports.ts';
import { type PlainWorker, startPlain } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { bundleOther } from './bundle.ts';
import { type Generator, startGenerator } from './load.ts';
import type { Bench } from './stack.ts';
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
type Side = { start(): Promise<PlainWorker>; rooms(count: number): Promise<HerdRoom[]> };
type Measured = { p50Ms: number; p99Ms: number; anew: number; cpuMs: number; generatorCpuMs: number };

/**
 * A hundred sockets of each of many companies whose Worker is killed come back, all at once: how long that takes, beside the
 * least that a Worker and its rooms can do for them on this machine.
 */
export async function herd({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const sides = { ours: await oursOf(bench), bare: await bareOf(bench) };
  const measured: Record<string, Measured[]> = {};
  for (let number = 1; number <= rounds; number += 1)
    for (const rooms of ROOMS)
      for (const [name, side] of Object.entries(sides)) {
        const each = await comeBack(side, rooms);
        const key = `${name}, ${rooms} rooms`;
        measured[key] = [...(measured[key] ?? []), each];
        progress(`round ${number} of ${rounds}: ${key}: p99 ${each.p99Ms} ms`);
      }
  const middle = (key: string, of: keyof Measured): number => median((measured[key] ?? []).map((each) => each[of]));
  const columns = ['p50Ms', 'p99Ms', 'cpuMs', 'generatorCpuMs'] as const;
  return {
    lines: [
      `${SOCKETS} sockets a room; CPU of the Worker and of the clients' process, ms a socket`,
      ...table([
        ['', 'p50 ms', 'p99 ms', 'CPU', 'clients'],
        ...Object.keys(measured).map((key) => [key, ...columns.map((column) => middle(key, column))]),
      ]),
    ],
    figures: { sockets: SOCKETS, ...measured },
  };
}

async function comeBack(side: Side, count: number): Promise<Measured> {
  const generator: Generator<HerdOrder, HerdReport> = startGenerator('herd-process.ts');
  let worker = await side.start();
  try {
    const rooms = await side.rooms(count);
    await generator.run({ kind: 'seat', url: worker.url, rooms, sockets: SOCKETS });
    if (worker.pid !== null) process.kill(worker.pid, 'SIGKILL');
    await worker.stop();
    worker = await side.start();
    const since = performance.timeOrigin + performance.now();
    const { pid } = worker;
    const before = canReadCpu && pid !== null ? await cpuMs(pid) : Number.NaN;
    const { backMs, anew, cpuMs: generatorCpuMs } = await generator.run({ kind: 'back', since });
    const used = canReadCpu && pid !== null ? (await cpuMs(pid)) - before : Number.NaN;
    if (anew > 0) throw new Error(`${anew} sockets had to load anew`);
    return {
      p50Ms: round(quantile(backMs, 0.5), 0),
      p99Ms: round(quantile(backMs, 0.99), 0),
      anew,
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
    async rooms(count) {
      const rooms: HerdRoom[] = [];
      while (rooms.length < count) {
        const { api } = await bench.company(current, 1);
        rooms.push({ token: String(api.token) });
      }
      return rooms;
    },
  };
}

async function bareOf({ dir }: Bench): Promise<Side> {
  const bundle = await bundleOther(join(import.meta.dirname, 'bare-herd.ts'), join(dir, 'bare-herd'));
  const port = await freePort();
  return {
    start: () => startPlain(bundle, {}, { ROOMS: { className: 'HerdRoom', useSQLite: true } }, port),
    rooms: async (count) => Array.from({ length: count }, (_, n) => ({ token: `room${n}` })),
  };
}
