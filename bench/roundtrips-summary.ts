import { loadavg } from 'node:os';
import type { BenchResult } from './benchmark.ts';
import { median, quantile, round, sum } from './statistics.ts';
import { table } from './table.ts';

export const POSTGRES_MS = 40;
export const REDIS_MS = 15;

/**
 * Trips of the budget, summed, and the limit of p50 (`memoryHit` has neither, it is the floor under the others); how
 * often a call starts under load: as dense as leaves both cores idle for a good part.
 */
export const KINDS = {
  memoryHit: { tripsMs: 0, limitMs: null, cache: 'HIT', everyMs: 4 },
  coldHit: { tripsMs: REDIS_MS, limitMs: 17, cache: 'HIT', everyMs: 8 },
  miss: { tripsMs: REDIS_MS + POSTGRES_MS, limitMs: 61, cache: 'MISS', everyMs: 20 },
  write: { tripsMs: 2 * REDIS_MS + POSTGRES_MS, limitMs: 77, cache: null, everyMs: 40 },
} as const;

export type Kind = keyof typeof KINDS;
export type Edge = 'off' | 'on';
export type Series = {
  kind: Kind;
  edgeCache: Edge;
  /** Calls at the kind's interval, or one at a time with long pauses. */
  pace: 'load' | 'rest';
  round: number;
  ms: number[];
  /** A bare Hono Worker with the same trips, right before. */
  bareMs: number[];
  ownMs: number[];
  /** Trips the caller waited for, as Server-Timing tells, and all at the bridges, those behind the answer included. */
  redisTripsPerAnswer: number;
  postgresTripsPerAnswer: number;
  redisRequestsPerAnswer: number;
  postgresRequestsPerAnswer: number;
};

const KIND_NAMES = Object.keys(KINDS) as Kind[];
/** The kinds that wait for a trip. */
export const TRIPPED = KIND_NAMES.filter((kind) => KINDS[kind].tripsMs > 0);

/** The median of the rounds' medians, ms. */
function middle(series: readonly Series[], of: (each: Series) => number[]): number {
  return round(median(series.map((each) => quantile(of(each), 0.5))));
}

/** The table and the figures of all rounds. */
export function summary(series: readonly Series[], first: readonly { edgeCache: Edge; ms: number }[]): BenchResult {
  const figuresOf = (edgeCache: Edge) =>
    Object.fromEntries(
      KIND_NAMES.map((kind) => {
        const both = series.filter((each) => each.kind === kind && each.edgeCache === edgeCache);
        const rest = both.filter((each) => each.pace === 'rest');
        const own = edgeCache === 'off' ? both.filter((each) => each.pace === 'load') : rest;
        const all = own.flatMap((each) => each.ms);
        const { tripsMs, limitMs } = KINDS[kind];
        const p50Ms = middle(own, (each) => each.ms);
        const p95Ms = round(quantile(all, 0.95));
        const mean = (of: (each: Series) => number): number => round(sum(own.map(of)) / own.length);
        return [
          kind,
          {
            ...{ p50Ms, p95Ms, tripsMs, limitMs, samples: all.length },
            bareP50Ms: middle(own, (each) => each.bareMs),
            atRestP50Ms: middle(rest, (each) => each.ms),
            bareAtRestP50Ms: middle(rest, (each) => each.bareMs),
            withinLimit: limitMs === null ? null : p50Ms <= limitMs,
            ratio: tripsMs === 0 ? null : round(p50Ms / tripsMs, 3),
            p95Ratio: tripsMs === 0 ? null : round(p95Ms / tripsMs, 3),
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
        it.bareP50Ms,
        it.p95Ms,
        it.limitMs ?? '',
        it.ratio ?? '',
        it.atRestP50Ms,
        it.bareAtRestP50Ms,
        it.workerOwnP50Ms,
        trip,
        all,
      ];
    }),
  );
  const head = [
    '',
    'p50 ms',
    'bare Worker',
    'p95 ms',
    'limit ms',
    '÷ trips',
    'at rest p50 ms',
    'bare Worker',
    'own ms',
    'waited R+P',
    'all R+P',
  ];
  return {
    lines: [
      ...table([head, ...rows]),
      `first request of an isolate: ${firstMs('off')} ms, with the Cache API ${firstMs('on')} ms`,
    ],
    figures: {
      ...{ ratio: Math.max(...KIND_NAMES.map((kind) => off[kind]?.ratio ?? 0)), redisDelayMs: REDIS_MS },
      postgresDelayMs: POSTGRES_MS,
      loadAverage1m: round(loadavg()[0] ?? 0, 1),
      edgeCacheOff: { ...off, firstRequestP50Ms: firstMs('off') },
      edgeCacheOn: { ...on, firstRequestP50Ms: firstMs('on') },
      rounds: [...series, ...first.map((each) => ({ kind: 'firstRequest', ...each }))],
    },
  };
}
