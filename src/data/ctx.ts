/** Counts of round trips of one request; tests and Server-Timing read them. */
export type Trips = { redis: number; postgres: number; room: number };

/**
 * Milliseconds a request waited for each dependency; `wait`: for what its caller wanted to wait for. A class: once V8 has seen a
 * fraction's representation in a literal's field, it moves every later object of that literal to another layout when it is read.
 */
class Times {
  redis = 0;
  postgres = 0;
  edge = 0;
  wait = 0;
}

/** What the data layer needs from one request (or alarm, or cron run): an id, a clock and a way to outlive the answer. */
export type Ctx = {
  readonly requestId: string;
  readonly trips: Trips;
  readonly times: Times;
  /** When the work began, ms. */
  readonly startedAt: number;
  /** Wall clock, ms. In a Worker it stands still between I/O. */
  now(): number;
  /** Keeps work alive after the answer or a client's disconnect. */
  waitUntil(work: Promise<unknown>): void;
  /** Adds one fact to the request's log line. Never personal data. */
  note(name: string, value: string | number | boolean): void;
  readonly notes: Record<string, string | number | boolean>;
};

export function makeCtx(
  requestId: string,
  waitUntil: (work: Promise<unknown>) => void,
  now: () => number = Date.now,
): Ctx {
  const notes: Record<string, string | number | boolean> = {};
  return {
    requestId,
    startedAt: now(),
    trips: { redis: 0, postgres: 0, room: 0 },
    times: new Times(),
    now,
    waitUntil,
    note(name, value) {
      notes[name] = value;
    },
    notes,
  };
}

/** Work that is done to its end although the caller may leave: what it cost or found out counts all the same. */
export function anchored<T>(ctx: Ctx, work: () => Promise<T>): Promise<T> {
  const done = work();
  ctx.waitUntil(done.catch(() => undefined));
  return done;
}

/** The same request behind its answer: what runs there is nobody's waiting time, so it counts apart. */
export function behind(ctx: Ctx): Ctx {
  return { ...ctx, trips: { redis: 0, postgres: 0, room: 0 }, times: new Times() };
}
