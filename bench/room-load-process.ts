import { setTimeout as pause } from 'node:timers/promises';
import { Client } from './client.ts';
import { obey } from './obey.ts';
import type { Quantiles, RoomOrder, RoomReport, RoomTarget } from './room-load.ts';
import { type Faults, RoomSocket } from './room-socket.ts';
import { quantile, round, sum } from './statistics.ts';
import { threadsCpuMs } from './workerd.ts';

/** How long the last frame may take, ms. */
const PATIENCE = 10_000;
const OPEN_AT_ONCE = 20;

/** Of a write, ms of this process: when it was due, when its answer was here. */
type Moments = { due: number; answered: number };
type Room = RoomTarget & { sockets: RoomSocket[]; head: number; writes: Map<number, Moments> };
type Heard = { room: Room; revision: number; loggedAt: number; here: number };
type Load = { client: Client; pid: number | null; rooms: Room[]; heard: Heard[] };
type Write = Extract<RoomOrder, { kind: 'write' }>;

let load: Load | null = null;

obey(run);

async function run(order: RoomOrder): Promise<RoomReport | null> {
  if (order.kind === 'write') return write(order);
  await open(order);
  return null;
}

async function open({ url, pid, rooms, sockets }: Extract<RoomOrder, { kind: 'open' }>): Promise<void> {
  for (const socket of load?.rooms.flatMap((room) => room.sockets) ?? []) socket.close();
  const own: Load = { client: new Client(url, 32), pid, rooms: [], heard: [] };
  const socketUrl = `${url.replace('http', 'ws')}/api/v1/realtime`;
  for (const target of rooms) {
    const room: Room = { ...target, sockets: [], head: 0, writes: new Map() };
    const heard = (revision: number, loggedAt: number, here: number): void => {
      // A frame may be here before the answer that names its revision: its write is looked up in the end.
      own.heard.push({ room, revision, loggedAt, here });
    };
    while (room.sockets.length < sockets) {
      const some = Math.min(OPEN_AT_ONCE, sockets - room.sockets.length);
      room.sockets.push(
        ...(await Promise.all(Array.from({ length: some }, () => RoomSocket.open(socketUrl, target.key, heard)))),
      );
    }
    own.rooms.push(room);
  }
  load = own;
}

/** Open loop: writes leave at their moments, whatever became of those before; rooms take turns within a moment. */
async function write({ rooms: count, perSecond, perWrite, seconds }: Write): Promise<RoomReport> {
  if (load === null) throw new Error('nothing is open');
  const { rooms: all, client, pid } = load;
  const rooms = all.slice(0, count);
  const sockets = rooms.flatMap((room) => room.sockets);
  load.heard = [];
  const before = { frames: sum(sockets.map(({ frames }) => frames)), faults: faultsOf(rooms) };
  const [own, cpu, started] = [process.cpuUsage(), await cpuOf(pid), performance.now() + 5];
  const everyMs = (1000 * perWrite) / perSecond / count;
  const answers: Promise<void>[] = [];
  const writes = Math.round((perSecond * seconds) / perWrite) * count;
  for (let n = 0; n < writes; n += 1) {
    const due = started + n * everyMs;
    const wait = due - performance.now();
    if (wait > 0) await pause(wait);
    answers.push(one(client, rooms[n % count] as Room, n, perWrite, due));
  }
  await Promise.all(answers);
  await drained(rooms);
  const { heard } = load;
  const used = process.cpuUsage(own);
  const since = (of: 'due' | 'answered'): number[] =>
    heard.map(({ room, revision, here }) => here - (room.writes.get(revision)?.[of] ?? Number.NaN));
  const cpuAfter = await cpuOf(pid);
  const now = faultsOf(rooms);
  return {
    events: writes * perWrite,
    deliveries: heard.length,
    frames: sum(sockets.map(({ frames }) => frames)) - before.frames,
    elapsedMs: (heard.at(-1)?.here ?? Number.NaN) - started,
    logged: quantiles(heard.map(({ loggedAt, here }) => performance.timeOrigin + here - loggedAt)),
    ...{ answered: quantiles(since('answered')), due: quantiles(since('due')) },
    faults: {
      lost: now.lost - before.faults.lost,
      duplicated: now.duplicated - before.faults.duplicated,
      reordered: now.reordered - before.faults.reordered,
      broken: now.broken - before.faults.broken,
    },
    cpuMs: cpu === null || cpuAfter === null ? null : cpuAfter - cpu,
    generatorCpuMs: (used.user + used.system) / 1000,
  };
}

const cpuOf = (pid: number | null): Promise<number | null> =>
  pid === null ? Promise.resolve(null) : threadsCpuMs(pid);

/** One change of the notes, or so many new clients at once: the log has as many revisions. */
async function one(client: Client, room: Room, n: number, perWrite: number, due: number): Promise<void> {
  const notes = `due ${due.toFixed(2)} (${n})`;
  const items = Array.from({ length: perWrite }, (_, index) => ({ firstName: `New ${n} ${index}`, notes }));
  const id = room.clients[n % room.clients.length];
  const { status, headers, text } = await client.ask({
    ...(perWrite === 1
      ? { method: 'PATCH', path: `/api/v1/clients/${id}` }
      : { method: 'POST', path: '/api/v1/clients/bulk' }),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${room.key}` },
    body: JSON.stringify(perWrite === 1 ? { notes } : { mode: 'atomic', items }),
  });
  if (status >= 300) throw new Error(`a write answered ${status}: ${text}`);
  const moments = { due, answered: performance.now() };
  const revision = Number(headers.revision);
  for (let each = revision; each > revision - perWrite; each -= 1) room.writes.set(each, moments);
  room.head = Math.max(room.head, revision);
}

async function drained(rooms: readonly Room[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  const isDone = (): boolean => rooms.every(({ sockets, head }) => sockets.every(({ last }) => last >= head));
  while (!isDone() && performance.now() < end) await pause(5);
}

function faultsOf(rooms: readonly Room[]): Faults {
  const each = rooms.flatMap(({ sockets, head }) => sockets.map((socket) => socket.settle(head)));
  const of = (name: keyof Faults): number => sum(each.map((faults) => faults[name]));
  return { lost: of('lost'), duplicated: of('duplicated'), reordered: of('reordered'), broken: of('broken') };
}

function quantiles(values: readonly number[]): Quantiles {
  const at = (share: number): number => round(quantile(values, share), 1);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
