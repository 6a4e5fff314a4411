import type { BenchOptions, BenchResult } from './benchmark.ts';
import { Client } from './client.ts';
import { headersOf, KINDS, type KindName, LIST } from './kinds.ts';
import { startLoadGenerator } from './load.ts';
import { measured } from './measured.ts';
import { type Peer, startPeer } from './peer.ts';
import { type PeerRound, type PeerSide, predecessorLines, type StepName } from './predecessor-table.ts';
import type { RoomTarget } from './room-load.ts';
import { companies } from './rooms.ts';
import type { BenchWorker } from './stack.ts';

const COMPANIES = 8;
const CONNECTIONS = 24;
const SECONDS = 2.5;

/** The last is paced, and tells how long one waits. */
const STEPS: readonly { name: StepName; kind: KindName; perSecond?: number }[] = [
  ...(['cached', 'uncached', 'writes', 'mixed'] as const).map((kind) => ({ name: kind, kind })),
  { name: 'paced', kind: 'mixed', perSecond: 200 },
];

/**
 * Requests/s, CPU and latency of what both systems do, in turn with the Express server that PEER names; that server speaks to
 * Postgres and Redis directly, ours through the two bridges that stand in for their hosted proxies.
 */
export async function predecessor({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const folder = process.env.PEER;
  if (folder === undefined) throw new Error('PEER=folder names the system to measure beside ours');
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const generator = startLoadGenerator();
  let peer: Peer | null = null;
  try {
    const rooms = await companies(bench, worker, COMPANIES);
    peer = await startPeer(folder, String(bench.vars.DATABASE_MIGRATION_URL), COMPANIES);
    const sides: Record<PeerSide, Pick<BenchWorker, 'url' | 'pid'> & { rooms: readonly RoomTarget[] }> = {
      ours: { url: worker.url, pid: worker.pid, rooms },
      peer,
    };
    const taken: PeerRound[] = [];
    // Round 0 is when all are compiled.
    for (let number = 0; number <= rounds; number += 1) {
      for (const { name, kind, perSecond } of STEPS)
        for (const side of ['ours', 'peer'] as const) {
          const { url, pid, rooms: targets } = sides[side];
          if (name === 'cached') await checkHits(side, url, targets);
          const found = await measured(
            generator,
            { name: `${side}, ${name}`, url, pid },
            { connections: CONNECTIONS, seconds: SECONDS, perSecond, requests: targets.flatMap(KINDS[kind]) },
          );
          if (number > 0) taken.push({ ...found, side, step: name, round: number });
        }
      if (number > 0) progress(`round ${number} of ${rounds}`);
    }
    return predecessorLines(
      taken,
      STEPS.map(({ name }) => name),
      rounds,
    );
  } finally {
    await generator.stop();
    await worker.stop();
    await peer?.stop();
  }
}

/** What is to be a hit is one: after a write the first reader computes. */
async function checkHits(side: PeerSide, url: string, rooms: readonly RoomTarget[]): Promise<void> {
  const client = new Client(url);
  try {
    for (const room of rooms) {
      let state = '';
      for (let tries = 0; tries < 20 && state !== 'HIT'; tries += 1) {
        const { status, headers } = await client.ask({ path: LIST, headers: headersOf(room) });
        state = status === 200 ? String(headers['x-cache']) : `answered ${status}`;
      }
      if (state !== 'HIT') throw new Error(`${side}: a list that was just asked for is ${state}`);
    }
  } finally {
    client.close();
  }
}
