import type { Counts } from '../core/counts.ts';

// What the monitor (a Durable Object, one per deployment; src/monitoring) is told and asked.

/** So long a slot is, ms: what is counted is told apart by it. */
export const SLOT = 10_000;

/** Slow calls of one name: how many, and the longest, ms. */
export type Slow = { name: string; count: number; longest: number };

/** What an isolate counted in one slot, which began at `at`, ms. */
export type Slot = { at: number; counts: Counts; slow: readonly Slow[] };

/** What was counted between two moments, ms; `rooms` with listeners and their `sockets` are those of now. */
export type Sight = {
  from: number;
  until: number;
  counts: Counts;
  slow: readonly Slow[];
  rooms: number;
  sockets: number;
};

/** What was counted from `at` on, for one step of a history. */
export type Point = { at: number; counts: Counts };

export type MonitorApi = {
  /** Adds what an isolate counted. */
  report(slots: readonly Slot[]): Promise<void>;
  /** What was counted in the last `span` ms, these slots included. */
  look(span: number, slots: readonly Slot[]): Promise<Sight>;
  /** What was counted, by steps of `step` ms; steps of which nothing is known are left out. */
  history(from: number, to: number, step: number): Promise<Point[]>;
  /** Everything since it began to count, with these slots. */
  totals(slots: readonly Slot[]): Promise<Sight>;
  /** So many sockets a room has now. */
  listening(room: string, sockets: number): Promise<void>;
  /** Sees to its alarm: from the cron. */
  tend(): Promise<void>;
};

export type MonitorOf = () => MonitorApi;

/** The figures there are. */
export const METRICS = [
  ...['totalRequests', 'averageResponseTime', 'p95ResponseTime', 'p99ResponseTime', 'requestsPerSecond', 'errorRate'],
  ...['cacheHitRate', 'databaseQueriesPerSecond', 'averageQueryTime', 'slowQueries', 'activeConnections'],
] as const;
/** What an alert may be about. */
export const ALERTABLE = METRICS;

export const COMPARISONS = ['ABOVE', 'BELOW'] as const;
export const ALERT_STATES = ['OK', 'PENDING', 'FIRING'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** When a company wants to hear of a figure. `secret`: what signs its messages, as it is stored. */
export type AlertRule = {
  id: string;
  companyId: string;
  name: string;
  metric: string;
  comparison: (typeof COMPARISONS)[number];
  threshold: number;
  /** How far the figure must be back before it clears. */
  hysteresis: number;
  /** So many minutes in a row, before it fires. */
  forMinutes: number;
  url: string;
  secret: string;
  /** What its row says. */
  state: AlertState;
};

/** What became of a rule: since when, ms, and by which value. */
export type AlertTurn = { state: AlertState; since: number; value: number | null };

/** How the monitor reaches rules and those who are to hear: injected, because contexts know them. */
export type AlertParts = {
  /** Every active rule. @throws AppError */
  rules(): Promise<readonly AlertRule[]>;
  /** Writes down where a rule stands. @throws AppError */
  keep(rule: AlertRule, turn: AlertTurn): Promise<void>;
  /** Tells of a turn, once; whether it was taken. The same turn has the same name at each try. Never throws. */
  send(rule: AlertRule, turn: AlertTurn): Promise<boolean>;
};
