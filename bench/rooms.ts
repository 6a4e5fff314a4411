import type { BenchOptions, BenchResult } from './benchmark.ts';
import { type RoomReport, type RoomTarget, startRoomLoad } from './room-load.ts';
import { type Bench, type BenchWorker, clientNumber } from './stack.ts';
import { median, round, sum } from './statistics.ts';
import { table } from './table.ts';

const SOCKETS = 100;
const CLIENTS = 20;

type Step = { name: string; rooms: number; perSecond: number; perWrite: number; seconds: number };
/** Of a room each. The write path gives a company some 100 writes a second here, so 200 changes are 50 writes of four. */
const STEPS: readonly Step[] = [
  { name: 'oneRoomAt1', rooms: 1, perSecond: 1, perWrite: 1, seconds: 4 },
  { name: 'oneRoomAt10', rooms: 1, perSecond: 10, perWrite: 1, seconds: 3 },
  { name: 'oneRoomAt50', rooms: 1, perSecond: 50, perWrite: 1, seconds: 2 },
  { name: 'oneRoomAt200', rooms: 1, perSecond: 200, perWrite: 4, seconds: 2 },
  { name: 'tenRoomsAt1', rooms: 10, perSecond: 1, perWrite: 1, seconds: 3 },
  { name: 'tenRoomsAt10', rooms: 10, perSecond: 10, perWrite: 1, seconds: 2 },
];
const ROOMS = Math.max(...STEPS.map(({ rooms }) => rooms));

/** A hundred sockets a company: how long after its commit a change is here, and what telling it costs. */
export async function rooms({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn', ROOM_MESSAGES_PER_MINUTE: '100000' });
  const load = startRoomLoad();
  const measured = new Map<string, RoomReport[]>(STEPS.map(({ name }) => [name, []]));
  try {
    const targets: RoomTarget[] = [];
    while (targets.length < ROOMS) targets.push(await company(bench, worker));
    await load.run({ kind: 'open', url: worker.url, pid: worker.pid, rooms: targets, sockets: SOCKETS });
    progress(`${ROOMS * SOCKETS} sockets are open`);
    for (let number = 0; number <= rounds; number += 1) {
      for (const { name, ...step } of STEPS) {
        // Round 0 is when all are compiled.
        const report = await load.run({ kind: 'write', ...step, ...(number === 0 && { seconds: 1 }) });
        if (report !== null && number > 0) measured.get(name)?.push(report);
      }
      if (number > 0) progress(`round ${number} of ${rounds}`);
    }
  } finally {
    await load.stop();
    await worker.stop();
  }
  const lines: (string | number)[][] = [
    [
      'rooms × changes/s',
      'p50',
      'p95',
      'p99 ms',
      'answer p50',
      'p99',
      'due p50',
      'p99',
      'frames/s',
      'deliveries/s',
      'µs',
      'wrong',
    ],
  ];
  const figures: Record<string, unknown> = { sockets: SOCKETS };
  for (const step of STEPS) {
    const figure = figureOf(step, measured.get(step.name) ?? []);
    figures[step.name] = figure;
    lines.push([`${step.rooms} × ${step.perSecond}`, ...shown(figure)]);
  }
  return {
    lines: [
      `${SOCKETS} sockets a room; ms from the row's log entry, just before its commit, from its writer's answer, and from when its write was due;`,
      'frames/s of a socket; CPU of workerd per delivery, writes included; lost, duplicated, reordered, broken',
      ...table(lines),
    ],
    figures,
  };
}

type Figure = ReturnType<typeof figureOf>;

function figureOf({ rooms: count, ...step }: Step, reports: readonly RoomReport[]) {
  const middle = (of: (report: RoomReport) => number, digits = 1): number => round(median(reports.map(of)), digits);
  const total = (of: (report: RoomReport) => number): number => sum(reports.map(of));
  return {
    ...{ rooms: count, perSecond: step.perSecond, perWrite: step.perWrite },
    p50Ms: middle(({ logged }) => logged.p50Ms),
    p95Ms: middle(({ logged }) => logged.p95Ms),
    p99Ms: middle(({ logged }) => logged.p99Ms),
    answeredP50Ms: middle(({ answered }) => answered.p50Ms),
    answeredP99Ms: middle(({ answered }) => answered.p99Ms),
    dueP50Ms: middle(({ due }) => due.p50Ms),
    dueP99Ms: middle(({ due }) => due.p99Ms),
    framesPerSecond: middle((each) => (each.frames / count / SOCKETS / each.elapsedMs) * 1000),
    deliveriesPerSecond: middle((each) => (each.deliveries / each.elapsedMs) * 1000, 0),
    cpuUsPerDelivery: middle((each) => ((each.cpuMs ?? Number.NaN) * 1000) / each.deliveries),
    generatorCpuPercent: middle((each) => (each.generatorCpuMs / each.elapsedMs) * 100, 0),
    deliveries: total((each) => each.deliveries),
    lost: total(({ faults }) => faults.lost),
    duplicated: total(({ faults }) => faults.duplicated),
    reordered: total(({ faults }) => faults.reordered),
    broken: total(({ faults }) => faults.broken),
    rounds: reports,
  };
}

const shown = (figure: Figure): (string | number)[] => [
  ...[
    figure.p50Ms,
    figure.p95Ms,
    figure.p99Ms,
    figure.answeredP50Ms,
    figure.answeredP99Ms,
    figure.dueP50Ms,
    figure.dueP99Ms,
  ],
  ...[figure.framesPerSecond, figure.deliveriesPerSecond, figure.cpuUsPerDelivery],
  `${figure.lost} ${figure.duplicated} ${figure.reordered} ${figure.broken}`,
];

/** A company with clients, and a key that outlives the token of its owner. */
async function company(bench: Bench, worker: BenchWorker): Promise<RoomTarget> {
  const { api } = await bench.company(worker, 0);
  const { status, text } = await api.post('/clients/bulk', {
    mode: 'atomic',
    items: Array.from({ length: CLIENTS }, (_, n) => clientNumber(n)),
  });
  if (status >= 300) throw new Error(`creating clients answered ${status}: ${text}`);
  const { data } = (await api.get(`/clients?limit=${CLIENTS}`)).json as { data: { id: string }[] };
  const key = await api.post('/api-keys', { name: 'bench', scopes: ['clients:read', 'clients:write'] });
  return { key: String(key.json.secret), clients: data.map(({ id }) => id) };
}
