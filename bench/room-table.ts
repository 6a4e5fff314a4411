import type { BenchResult } from './benchmark.ts';
import type { Measured, SideName, Step } from './room-load.ts';
import { median, quantile, round, sum } from './statistics.ts';
import { table } from './table.ts';

const HEAD = [
  ...[
    'rooms × changes/s × sockets',
    '',
    'made p50',
    'p95',
    'p99',
    'commit p50',
    'p99',
    '− bare',
    'p99',
    'Redis',
    'answer p50',
    'p99',
  ],
  ...['due p50', 'p99', 'frames/s', 'deliveries/s', 'µs', 'its %', 'all %', 'wrong'],
];

/** What is to be read of a run, and its figures by `rooms × changes/s` and system. */
export function roomLines(
  measured: ReadonlyMap<Step, Record<SideName, readonly Measured[]>>,
): BenchResult & { rows: readonly string[] } {
  const lines: (string | number)[][] = [HEAD];
  const figures: Record<string, unknown> = {};
  for (const [step, sides] of measured)
    for (const side of ['ours', 'bare', 'peer'] as const) {
      if (sides[side].length === 0) continue;
      const figure = figureOf(step, sides[side], side === 'ours' ? sides.bare : []);
      const name = `${step.rooms} × ${step.perSecond}`;
      figures[`${name} ${side}`] = figure;
      lines.push([`${name} × ${step.sockets}`, side, ...shown(figure)]);
    }
  return {
    lines: [
      'ms until the frame: from when the change was made (ours: its log entry, before its commit; the peer: before its statement),',
      'from the commit, the same less what a bare Worker and a bare room take (and what the writer waited for Redis before), from the writer’s answer, from when its write was due; frames/s of a socket;',
      'CPU of the server per delivery, writes included; CPU of the server, of one processor, and of everything, of all of them; lost, duplicated, reordered, broken; writes refused',
    ],
    rows: table(lines),
    figures,
  };
}

type Figure = ReturnType<typeof figureOf>;

function figureOf(
  { rooms, sockets, perSecond, perWrite }: Step,
  reports: readonly Measured[],
  bare: readonly Measured[],
) {
  const middle = (of: (report: Measured) => number, digits = 1): number => round(median(reports.map(of)), digits);
  const total = (of: (report: Measured) => number): number => sum(reports.map(of));
  const overBare = (share: number): number =>
    round(
      median(bare.map((floor, at) => quantile(reports[at]?.committed ?? [], share) - quantile(floor.committed, share))),
      1,
    );
  return {
    ...{ rooms, sockets, perSecond, perWrite },
    p50Ms: middle(({ made }) => made.p50Ms),
    p95Ms: middle(({ made }) => made.p95Ms),
    p99Ms: middle(({ made }) => made.p99Ms),
    committedP50Ms: middle(({ committed }) => quantile(committed, 0.5)),
    committedP99Ms: middle(({ committed }) => quantile(committed, 0.99)),
    overBareP50Ms: overBare(0.5),
    overBareP99Ms: overBare(0.99),
    redisP50Ms: middle(({ redisP50Ms }) => redisP50Ms),
    answeredP50Ms: middle(({ answered }) => answered.p50Ms),
    answeredP99Ms: middle(({ answered }) => answered.p99Ms),
    dueP50Ms: middle(({ due }) => due.p50Ms),
    dueP99Ms: middle(({ due }) => due.p99Ms),
    framesPerSecond: middle((each) => (each.frames / rooms / sockets / each.elapsedMs) * 1000),
    deliveriesPerSecond: middle((each) => (each.deliveries / each.elapsedMs) * 1000, 0),
    cpuUsPerDelivery: middle((each) => ((each.cpuMs ?? Number.NaN) * 1000) / each.deliveries),
    serverCpuPercent: middle((each) => ((each.cpuMs ?? Number.NaN) / each.elapsedMs) * 100, 0),
    machineCpuPercent: middle(({ machineCpuPercent }) => machineCpuPercent, 0),
    generatorCpuPercent: middle((each) => (each.generatorCpuMs / each.elapsedMs) * 100, 0),
    deliveries: total((each) => each.deliveries),
    refused: total(({ refused }) => refused),
    lost: total(({ faults }) => faults.lost),
    duplicated: total(({ faults }) => faults.duplicated),
    reordered: total(({ faults }) => faults.reordered),
    broken: total(({ faults }) => faults.broken),
    rounds: reports.map(({ committed: _, traced: __, ...report }) => report),
  };
}

const shown = (figure: Figure): (string | number)[] =>
  [
    ...[figure.p50Ms, figure.p95Ms, figure.p99Ms, figure.committedP50Ms, figure.committedP99Ms],
    ...[figure.overBareP50Ms, figure.overBareP99Ms, figure.redisP50Ms],
    ...[figure.answeredP50Ms, figure.answeredP99Ms, figure.dueP50Ms, figure.dueP99Ms],
    ...[
      figure.framesPerSecond,
      figure.deliveriesPerSecond,
      figure.cpuUsPerDelivery,
      figure.serverCpuPercent,
      figure.machineCpuPercent,
    ],
    `${figure.lost} ${figure.duplicated} ${figure.reordered} ${figure.broken} ${figure.refused}`,
  ].map((cell) => (Number.isNaN(cell) ? '' : cell));
