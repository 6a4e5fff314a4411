import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from './client.ts';
import { obey } from './obey.ts';
import { bareAt } from './room-bare-side.ts';
import type { Faults, Follower, Quantiles, RoomOrder, RoomReport, RoomTarget, SideName, Step } from './room-load.ts';
import { peerAt } from './room-peer-side.ts';
import { oursAt, type Side } from './room-side.ts';
import { quantile, round, sum } from './statistics.ts';
import { threadsCpuMs } from './workerd.ts';

/** How long the last frame may take, ms. */
const PATIENCE = 10_000;
const OPEN_AT_ONCE = 20;
/** Connections for writes: as many may be under way. */
const WRITERS = 32;

/** Of a write, ms of this process: when it was due, when its answer was here. */
type Moments = { n: number; due: number; answered: number };
type Room = { target: RoomTarget; followers: Follower[]; head: number; writes: Map<number, Moments> };
type Heard = { room: Room; change: number; madeAt: number; here: number };
type Load = { side: Side; pid: number | null; rooms: Room[]; heard: Heard[]; changesPerSecond: number };

const loads = new Map<SideName, Load>();

obey(run);

async function run(order: RoomOrder): Promise<RoomReport | null> {
  if (order.kind === 'write') return write(order);
  show(order);
  return null;
}

function show({ side, url, pid, rooms }: Extract<RoomOrder, { kind: 'show' }>): void {
  const client = new Client(url, WRITERS);
  const sideOf: Readonly<Record<SideName, () => Side>> = {
    ours: () => oursAt(url, client),
    bare: () => bareAt(url, client),
    peer: () => peerAt(url, client, () => load.changesPerSecond),
  };
  const load: Load = {
    side: sideOf[side](),
    pid,
    rooms: rooms.map((target) => ({ target, followers: [], head: 0, writes: new Map() })),
    heard: [],
    changesPerSecond: 0,
  };
  loads.set(side, load);
}

/** So many sockets in so many rooms, and none elsewhere. */
async function seat({ side, rooms, heard }: Load, count: number, sockets: number): Promise<void> {
  for (const [at, room] of rooms.entries()) {
    const wanted = at < count ? sockets : 0;
    for (const follower of room.followers.splice(wanted)) follower.close();
    const hear = (change: number, madeAt: number, here: number): void => {
      // A frame may be here before the answer that names its change: its write is looked up in the end.
      heard.push({ room, change, madeAt, here });
    };
    while (room.followers.length < wanted) {
      const some = Math.min(OPEN_AT_ONCE, wanted - room.followers.length);
      const opening = Array.from({ length: some }, () => side.follow(room.target, hear));
      room.followers.push(...(await Promise.all(opening)));
    }
  }
}

/** Open loop: writes leave at their moments, whatever became of those before; rooms take turns within a moment. */
async function write(order: { side: SideName } & Step): Promise<RoomReport> {
  const { side, rooms: count, sockets, perSecond, perWrite, seconds } = order;
  const load = loads.get(side);
  if (load === undefined) throw new Error(`${side} was not shown`);
  await seat(load, count, sockets);
  load.changesPerSecond = perSecond * count;
  load.heard.length = 0;
  const rooms = load.rooms.slice(0, count);
  const followers = rooms.flatMap((room) => room.followers);
  const before = { frames: sum(followers.map(({ frames }) => frames)), faults: faultsOf(rooms) };
  const [own, machine] = [process.cpuUsage(), machineTimes()];
  const [cpu, started] = [await cpuOf(load), performance.now() + 5];
  const everyMs = (1000 * perWrite) / perSecond / count;
  const answers: Promise<number | null>[] = [];
  const writes = Math.round((perSecond * seconds) / perWrite) * count;
  for (let n = 0; n < writes; n += 1) {
    const due = started + n * everyMs;
    const wait = due - performance.now();
    if (wait > 0) await pause(wait);
    answers.push(one(load.side, rooms[n % count] as Room, { n, due }, perWrite));
  }
  const redisMs = await Promise.all(answers);
  const taken = redisMs.filter((ms) => ms !== null);
  await drained(rooms);
  const { heard } = load;
  const used = process.cpuUsage(own);
  const machineNow = machineTimes();
  const momentsOf = ({ room, change }: Heard): Moments | undefined => room.writes.get(change);
  const since = (of: 'due' | 'answered'): number[] =>
    heard.map((each) => each.here - (momentsOf(each)?.[of] ?? Number.NaN));
  const cpuAfter = await cpuOf(load);
  const now = faultsOf(rooms);
  const traced = new Map<number, number[]>();
  for (const each of order.isTraced ? heard : []) {
    const n = momentsOf(each)?.n ?? -1;
    traced.set(n, [...(traced.get(n) ?? []), round(performance.timeOrigin + each.here)]);
  }
  return {
    events: taken.length * perWrite,
    refused: writes - taken.length,
    redisP50Ms: quantile(taken, 0.5),
    deliveries: heard.length,
    frames: sum(followers.map(({ frames }) => frames)) - before.frames,
    elapsedMs: (heard.at(-1)?.here ?? Number.NaN) - started,
    made: quantiles(heard.map(({ madeAt, here }) => performance.timeOrigin + here - madeAt)),
    ...{ answered: quantiles(since('answered')), due: quantiles(since('due')) },
    faults: {
      lost: now.lost - before.faults.lost,
      duplicated: now.duplicated - before.faults.duplicated,
      reordered: now.reordered - before.faults.reordered,
      broken: now.broken - before.faults.broken,
    },
    cpuMs: cpu === null || cpuAfter === null ? null : cpuAfter - cpu,
    generatorCpuMs: (used.user + used.system) / 1000,
    machineCpuPercent: round(100 * (1 - (machineNow.idle - machine.idle) / (machineNow.all - machine.all)), 0),
    traced: [...traced],
  };
}

/** Of all processors, ms since they began. */
function machineTimes(): { idle: number; all: number } {
  const times = cpus().map((one) => one.times);
  return { idle: sum(times.map(({ idle }) => idle)), all: sum(times.flatMap((each) => Object.values(each))) };
}

const cpuOf = ({ pid }: Load): Promise<number | null> => (pid === null ? Promise.resolve(null) : threadsCpuMs(pid));

/** @returns what the writer waited for Redis, ms; null for a write that was refused */
async function one(
  side: Side,
  room: Room,
  { n, due }: { n: number; due: number },
  count: number,
): Promise<number | null> {
  const written = await side.write({ room: room.target, n, count });
  if (written === null) return null;
  const { last, redisMs } = written;
  const moments = { n, due, answered: performance.now() };
  for (let each = last; each > last - count; each -= 1) room.writes.set(each, moments);
  room.head = Math.max(room.head, last);
  return redisMs;
}

async function drained(rooms: readonly Room[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  const isDone = (): boolean => rooms.every(({ followers, head }) => followers.every((one) => one.isAt(head)));
  while (!isDone() && performance.now() < end) await pause(5);
}

function faultsOf(rooms: readonly Room[]): Faults {
  const each = rooms.flatMap(({ followers, head }) => followers.map((one) => one.settle(head)));
  const of = (name: keyof Faults): number => sum(each.map((faults) => faults[name]));
  return { lost: of('lost'), duplicated: of('duplicated'), reordered: of('reordered'), broken: of('broken') };
}

function quantiles(values: readonly number[]): Quantiles {
  const at = (share: number): number => round(quantile(values, share), 1);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
