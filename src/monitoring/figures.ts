import { at, type Counts, quantile } from '../core/counts.ts';

import type { METRICS } from '../data/monitor.ts';

/** Figures of a time, as the API shows them: times in ms, rates in percent; null where there was nothing to measure. */
export type Figures = Record<(typeof METRICS)[number], number | null> & { totalRequests: number };

/** To two places. */
const rounded = (value: number): number => Math.round(value * 100) / 100;
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : rounded(part / whole));
const percent = (part: number, whole: number): number | null => ratio(100 * part, whole);

/** Answers of cached routes: without Postgres, and all but those whose callers wanted a new one. */
function readsOf(counts: Counts): { hits: number; reads: number } {
  const hits = at(counts, 'memory') + at(counts, 'edge') + at(counts, 'redis') + at(counts, 'stale');
  return { hits, reads: hits + at(counts, 'miss') };
}

/** @param span how long was counted, ms @param withDatabase false: calls of Postgres are told to nobody */
export function figuresOf(counts: Counts, span: number, withDatabase: boolean): Figures {
  const requests = at(counts, 'requests');
  const seconds = Math.max(1, span / 1000);
  const { hits, reads } = readsOf(counts);
  const time = (share: number): number | null => {
    const ms = quantile(counts, share);
    return ms === null ? null : rounded(ms);
  };
  return {
    totalRequests: requests,
    averageResponseTime: ratio(at(counts, 'ms'), requests),
    p95ResponseTime: time(0.95),
    p99ResponseTime: time(0.99),
    requestsPerSecond: rounded(requests / seconds),
    errorRate: percent(at(counts, 'serverErrors'), requests),
    cacheHitRate: percent(hits, reads),
    databaseQueriesPerSecond: withDatabase ? rounded(at(counts, 'queries') / seconds) : null,
    averageQueryTime: withDatabase ? ratio(at(counts, 'queryMs'), at(counts, 'queries')) : null,
    slowQueries: withDatabase ? at(counts, 'slowQueries') : null,
    activeConnections: ratio(at(counts, 'sockets'), at(counts, 'samples')),
  };
}

/** A share of failures, percent, from which the product is not well; and from which it is ill. */
const DEGRADED = 1;
const UNHEALTHY = 5;

export const STATUSES = ['healthy', 'degraded', 'unhealthy', 'unknown'] as const;
export type Status = (typeof STATUSES)[number];

export function statusOf(errorRate: number | null): Status {
  if (errorRate === null || errorRate < DEGRADED) return 'healthy';
  return errorRate < UNHEALTHY ? 'degraded' : 'unhealthy';
}
