import type { PlainWorker } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type Peer, startPeer } from './peer.ts';
import { BARE_WRITE, startBareRooms } from './room-bare.ts';
import { type Measured, type RoomTarget, type SideName, type Step, startRoomLoad } from './room-load.ts';
import { roomLines } from './room-table.ts';
import { type Bench, type BenchWorker, clientNumber } from './stack.ts';

/** Sockets of a room, as many as a company may have; fewer where that would be more deliveries than this in a second. */
const SOCKETS = 100;
const MOST_DELIVERIES = Number(process.env.ROOMS_DELIVERIES ?? 20_000);
/** Writes in a second of a company, and of all; beyond, a write makes several changes. */
const MOST_WRITES = 50;
const MOST_WRITES_OF_ALL = 100;
const CLIENTS = 20;

const ROOMS = [1, 10, 50];
/** Of a room, by how long, s. */
const RATES: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [10, 3],
  [50, 2],
  [200, 2],
]);
/** Up to this rate each frame is held against the moment of its commit. */
const TRACED = 10;

/** ROOMS_COUNTS=1,10 takes some counts of rooms alone, ROOMS_RATES=1,10 some rates, so that a run may fall into pieces. */
const counts = (process.env.ROOMS_COUNTS ?? ROOMS.join()).split(',').map(Number);
const rates = process.env.ROOMS_RATES?.split(',').map(Number) ?? [...RATES.keys()];

const STEPS: readonly Step[] = counts.flatMap((rooms) =>
  rates.map((perSecond) => ({
    ...{ rooms, perSecond, seconds: RATES.get(perSecond) ?? 2, isTraced: perSecond <= TRACED },
    sockets: Math.min(SOCKETS, Math.floor(MOST_DELIVERIES / (rooms * perSecond))),
    perWrite: Math.ceil(Math.max(perSecond / MOST_WRITES, (rooms * perSecond) / MOST_WRITES_OF_ALL)),
  })),
);

/**
 * How long after its commit a change is with those who listen, and what telling it costs; in turn with another system where
 * PEER names its folder.
 */
export async function rooms({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn', ROOM_MESSAGES_PER_MINUTE: '100000' });
  const load = startRoomLoad();
  const most = Math.max(...counts);
  const measured = new Map<Step, Record<SideName, Measured[]>>(
    STEPS.map((step) => [step, { ours: [], bare: [], peer: [] }]),
  );
  let bare: PlainWorker | null = null;
  let peer: Peer | null = null;
  try {
    const targets = await companies(bench, worker, most);
    await load.run({ kind: 'show', side: 'ours', url: worker.url, pid: worker.pid, rooms: targets });
    bare = await startBareRooms(bench, await eventOf(bench, worker));
    await load.run({ kind: 'show', side: 'bare', ...bare, rooms: targets });
    const folder = process.env.PEER;
    if (folder !== undefined) {
      peer = await startPeer(folder, String(bench.vars.DATABASE_MIGRATION_URL), most);
      await load.run({ kind: 'show', side: 'peer', ...peer });
    }
    const others: readonly SideName[] = peer === null ? [] : ['peer'];
    progress(`${most} companies are there`);
    for (const step of STEPS) {
      for (let number = 0; number <= rounds; number += 1)
        for (const side of [...(step.isTraced ? (['ours', 'bare'] as const) : (['ours'] as const)), ...others]) {
          // Round 0 is when all are compiled.
          const pace = number === 0 ? { ...step, seconds: 1 } : step;
          const commits = commitsOf(bench);
          const report = await load.run({ kind: 'write', side, ...pace });
          if (report === null || number === 0) continue;
          const { traced, ...seen } = report;
          const committed = traced.flatMap(([n, frames]) =>
            frames.map((here) => here - (commits.get(n) ?? Number.NaN)),
          );
          measured.get(step)?.[side].push({ ...seen, traced: [], committed: side === 'peer' ? [] : committed });
        }
      // At once, so that a run that is ended early has said something.
      const sides = measured.get(step);
      for (const line of sides === undefined ? [] : roomLines(new Map([[step, sides]])).rows) progress(line);
    }
  } finally {
    bench.neon.setHooks({ afterCommit: null });
    await load.stop();
    await worker.stop();
    await bare?.stop();
    await peer?.stop();
  }
  const { lines, rows, figures } = roomLines(measured);
  return { lines: [...lines, ...rows], figures };
}

/** When each write was committed, by its number, ms since 1970; from now on. */
function commitsOf({ neon }: Bench): ReadonlyMap<number, number> {
  const commits = new Map<number, number>();
  neon.setHooks({
    afterCommit({ statements }) {
      const now = performance.timeOrigin + performance.now();
      const query = statements[0]?.query ?? '';
      if (!query.includes('app.begin_write(') && !query.includes(BARE_WRITE)) return;
      const [, n] = /change (\d+)/.exec(JSON.stringify(statements)) ?? [];
      if (n !== undefined) commits.set(Number(n), now);
    },
  });
  return commits;
}

/** So many companies, one after the other. */
export async function companies(bench: Bench, worker: BenchWorker, count: number): Promise<RoomTarget[]> {
  const targets: RoomTarget[] = [];
  while (targets.length < count) targets.push(await company(bench, worker));
  return targets;
}

/** A company with clients, and a key that outlives the token of its owner. */
async function company(bench: Bench, worker: BenchWorker): Promise<RoomTarget> {
  const { api, companyId } = await bench.company(worker, 0);
  const { status, text } = await api.post('/clients/bulk', {
    mode: 'atomic',
    items: Array.from({ length: CLIENTS }, (_, n) => clientNumber(n)),
  });
  if (status >= 300) throw new Error(`creating clients answered ${status}: ${text}`);
  const { data } = (await api.get(`/clients?limit=${CLIENTS}`)).json as { data: { id: string }[] };
  const key = await api.post('/api-keys', { name: 'bench', scopes: ['clients:read', 'clients:write'] });
  return { company: companyId, key: String(key.json.secret), clients: data.map(({ id }) => id) };
}

/** A change of a client as rooms tell it, for whoever is to tell the same bytes. */
async function eventOf(bench: Bench, worker: BenchWorker): Promise<string> {
  const { api } = await bench.company(worker, 1);
  const { data } = (await api.get('/clients')).json as { data: { id: string }[] };
  const { revision } = await api.patch(`/clients/${data[0]?.id}`, { notes: 'change 1 at 12345.123456' });
  const { data: events } = (await api.get(`/events?after=${revision - 1}`)).json as { data: object[] };
  return JSON.stringify(events[0]);
}
