import { loadavg } from 'node:os';
import type { BenchResult } from './benchmark.ts';
import { median, quantile, round, sum } from './statistics.ts';
import { table } from './table.ts';

export const POSTGRES_MS = 40;
export const REDIS_MS = 15;

/** Trips of the budget, summed, and the limit of p50; `memoryHit` has neither, it is the floor under the others. */
export const KINDS = {
  memoryHit: { tripsMs: 0, limitMs: null, cache: 'HIT' },
  coldHit: { tripsMs: REDIS_MS, limitMs: 17, cache: 'HIT' },
  miss: { tripsMs: REDIS_MS + POSTGRES_MS, limitMs: 61, cache: 'MISS' },
  write: { tripsMs: 2 * REDIS_MS + POSTGRES_MS, limitMs: 77, cache: null },
} as const;

export type Kind = keyof typeof KINDS;
/** What a bare trip to each takes. */
export type Bridges = { redisMs: number; postgresMs: number };
export type Edge = 'off' | 'on';
export type Series = {
  kind: Kind;
  edgeCache: Edge;
  round: number;
  ms: number[];
  ownMs: number[];
  /** Trips the caller waited for, as Server-Timing tells, and all at the bridges, those behind the answer included. */
  redisTripsPerAnswer: number;
  postgresTripsPerAnswer: number;
  redisRequestsPerAnswer: number;
  postgresRequestsPerAnswer: number;
};

const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** What the trips that a series waited for take by themselves, on this machine at this moment. */
function waited(series: readonly Series[], bridges: Bridges): number {
  const each = series.map(
    (own) => own.redisTripsPerAnswer * bridges.redisMs + own.postgresTripsPerAnswer * bridges.postgresMs,
  );
  return sum(each) / series.length;
}

/** The table and the figures of all rounds. */
export function summary(
  series: readonly Series[],
  first: readonly { edgeCache: Edge; ms: number }[],
  bridges: Bridges,
): BenchResult {
  const figuresOf = (edgeCache: Edge) =>
    Object.fromEntries(
      KIND_NAMES.map((kind) => {
        const own = series.filter((each) => each.kind === kind && each.edgeCache === edgeCache);
        const all = own.flatMap((each) => each.ms);
        const { tripsMs, limitMs } = KINDS[kind];
        const p50Ms = round(median(own.map((each) => quantile(each.ms, 0.5))));
        const p95Ms = round(quantile(all, 0.95));
        const mean = (of: (each: Series) => number): number => round(sum(own.map(of)) / own.length);
        return [
          kind,
          {
            ...{ p50Ms, p95Ms, tripsMs, limitMs, samples: all.length },
            withinLimit: limitMs === null ? null : p50Ms <= limitMs,
            ratio: tripsMs === 0 ? null : round(p50Ms / tripsMs, 3),
            p95Ratio: tripsMs === 0 ? null : round(p95Ms / tripsMs, 3),
            beyondBareTripsMs: round(p50Ms - waited(own, bridges)),
            workerOwnP50Ms: median(own.flatMap((each) => each.ownMs)),
            redisTripsPerAnswer: mean((each) => each.redisTripsPerAnswer),
            postgresTripsPerAnswer: mean((each) => each.postgresTripsPerAnswer),
            redisRequestsPerAnswer: mean((each) => each.redisRequestsPerAnswer),
            postgresRequestsPerAnswer: mean((each) => each.postgresRequestsPerAnswer),
          },
        ] as const;
      }),
    );
  const off = figuresOf('off');
  const on = figuresOf('on');
  const firstMs = (edgeCache: Edge): number =>
    round(median(first.filter((each) => each.edgeCache === edgeCache).map((each) => each.ms)));
  const rows = KIND_NAMES.flatMap((kind) =>
    [off, on].map((figures, index) => {
      const it = figures[kind] as Exclude<(typeof off)[Kind], undefined>;
      const trip = `${it.redisTripsPerAnswer} + ${it.postgresTripsPerAnswer}`;
      const all = `${it.redisRequestsPerAnswer} + ${it.postgresRequestsPerAnswer}`;
      const name = `${kind}, EDGE_CACHE=${index === 0 ? 'off' : 'on'}`;
      return [
        name,
        it.p50Ms,
        it.p95Ms,
        it.limitMs ?? '',
        it.ratio ?? '',
        it.beyondBareTripsMs,
        it.workerOwnP50Ms,
        trip,
        all,
      ];
    }),
  );
  const head = [
    '',
    'p50 ms',
    'p95 ms',
    'limit ms',
    '÷ trips',
    'beyond bare trips ms',
    'own ms',
    'waited R+P',
    'all R+P',
  ];
  return {
    lines: [
      ...table([head, ...rows]),
      `a bare trip: Redis ${bridges.redisMs} ms, Postgres ${bridges.postgresMs} ms`,
      `first request of an isolate: ${firstMs('off')} ms, with the Cache API ${firstMs('on')} ms`,
    ],
    figures: {
      ...{ ratio: Math.max(...KIND_NAMES.map((kind) => off[kind]?.ratio ?? 0)), redisDelayMs: REDIS_MS },
      postgresDelayMs: POSTGRES_MS,
      loadAverage1m: round(loadavg()[0] ?? 0, 1),
      bareRedisTripP50Ms: bridges.redisMs,
      barePostgresTripP50Ms: bridges.postgresMs,
      edgeCacheOff: { ...off, firstRequestP50Ms: firstMs('off') },
      edgeCacheOn: { ...on, firstRequestP50Ms: firstMs('on') },
      rounds: [...series, ...first.map((each) => ({ kind: 'firstRequest', ...each }))],
    },
  };
}
