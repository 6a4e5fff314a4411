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
