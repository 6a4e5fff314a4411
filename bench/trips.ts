import { startBare } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { Client } from './client.ts';
import { headersOf, KINDS, LIST } from './kinds.ts';
import { startLoadGenerator } from './load.ts';
import { type Measured, measured, medians, ratios } from './measured.ts';
import type { RoomTarget } from './room-load.ts';
import { companies } from './rooms.ts';
import { table } from './table.ts';

const COMPANIES = 8;
const CONNECTIONS = 24;
const SECONDS = 2.5;

/** Lists that are computed anew, beside a bare Worker that asks Redis and then Postgres for the least there is, and answers as much. */
export const uncached = (options: BenchOptions): Promise<BenchResult> => beside(options, 'uncached', 'miss');

/** Changes of clients, beside a bare Worker that asks Postgres for the least there is, then Redis. */
export const write = (options: BenchOptions): Promise<BenchResult> => beside(options, 'writes', 'write');

async function beside(
  { rounds, stack, progress }: BenchOptions,
  kind: 'uncached' | 'writes',
  path: 'miss' | 'write',
): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const rooms = await companies(bench, worker, COMPANIES);
  const bare = await startBare(bench, await bodyOf(worker.url, kind, rooms[0] as RoomTarget));
  const generator = startLoadGenerator();
  const sides = {
    ours: { name: 'Clients+', ...worker, requests: rooms.flatMap(KINDS[kind]) },
    bare: { name: 'bare Hono', ...bare, requests: [{ method: 'GET' as const, path: `/${path}`, headers: {} }] },
  };
  const taken: Record<keyof typeof sides, Measured[]> = { ours: [], bare: [] };
  try {
    // Round 0 is when all are compiled.
    for (let number = 0; number <= rounds; number += 1) {
      for (const side of ['ours', 'bare'] as const) {
        const { requests, ...server } = sides[side];
        const found = await measured(generator, server, { connections: CONNECTIONS, seconds: SECONDS, requests });
        if (number > 0) taken[side].push(found);
      }
      if (number > 0) progress(`round ${number} of ${rounds}`);
    }
  } finally {
    await generator.stop();
    await Promise.all([worker.stop(), bare.stop()]);
  }
  const [ours, reference] = [medians(taken.ours), medians(taken.bare)];
  const against = ratios(taken.ours, taken.bare);
  return {
    lines: [
      ...table([
        [`medians of ${rounds}`, 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms'],
        ['Clients+', ...Object.values(ours)],
        ['bare Hono, its trips', ...Object.values(reference)],
      ]),
      `ratio ${against.ratio}; CPU of the Worker ${against.cpuOverReference} × the bare one's`,
    ],
    figures: { ...against, ...ours, bare: reference, connections: CONNECTIONS, companies: COMPANIES, rounds: taken },
  };
}

/** What ours answers, so that the bare one answers as much. */
async function bodyOf(url: string, kind: 'uncached' | 'writes', room: RoomTarget): Promise<string> {
  const client = new Client(url);
  const path = kind === 'uncached' ? LIST : `/api/v1/clients/${room.clients[0]}`;
  const { status, text } = await client.ask({ path, headers: headersOf(room) });
  client.close();
  if (status !== 200) throw new Error(`${path} answered ${status}`);
  return text;
}
