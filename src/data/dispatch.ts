import type { Change } from './log.ts';
import type { Position } from './position.ts';

// Who follows the company log at their own pace: webhooks, and whatever else must hear of every change once at least, in
// order, however long it takes. The dispatcher (src/dispatch) walks the log for them and knows none of them.

/** One follower of the log of one company. */
export type Line = {
  /** Unique in the company; what precedes the colon names its consumer: `webhook:<uuid>`. */
  name: string;
  /** Grows whenever somebody else sets its position: what the dispatcher remembers of it is then worth nothing. */
  generation: number;
  /** Where it begins, or where it was when it was last written down. */
  position: Position;
  /** Changes of others are not for it. */
  entities: readonly string[];
};

/** How an attempt went, as far as the one who made it can tell. Nothing of what was sent or answered. */
export type Report = { durationMs: number; status: number | null; error: string | null };

/** What became of one change. */
export type Handled =
  /** It is not for this line after all. */
  | { kind: 'passed' }
  | { kind: 'taken'; type: string; report: Report }
  /** Not now: it is tried again, and what comes after it waits. */
  | { kind: 'failed'; type: string; report: Report }
  /** Never again: the line is closed. */
  | { kind: 'over'; type: string; report: Report }
  /** The fault is ours, so it counts against nobody: it is tried again before long. */
  | { kind: 'stuck' };

/** Why a line is closed by the dispatcher: its receiver is gone for good, or has failed for days. */
export type Closing = 'GONE' | 'FAILING';

/** Where a line stands, for the consumer to write down. `waitsUntil`: not before, ms. */
export type Mark = { name: string; generation: number; position: Position; waitsUntil: number | null };

/** Who follows a company's log now, as of its head. */
export type Lines = { head: Position; lines: readonly Line[] };

/** A kind of followers, and what they do with a change. */
export type Consumer = {
  /** The first part of its lines' names. */
  readonly kind: string;
  /** Those of a company that are to be walked now, with where they stand. @throws AppError */
  lines(companyId: string): Promise<Lines>;
  /** Only asked of lines that `lines` answered last. Does not throw. */
  handle(companyId: string, line: Line, change: Change, epoch: string): Promise<Handled>;
  /** Writes down where its lines stand, so that an object which is lost costs a repetition and no event. @throws AppError */
  keep(companyId: string, marks: readonly Mark[]): Promise<void>;
  /** Closes a line, for everybody to see. @throws AppError */
  close(companyId: string, name: string, why: Closing): Promise<void>;
};

/** An attempt as it is remembered; `SKIPPED` stands for changes that were not kept long enough to be sent. */
export type Attempt = {
  /** Grows with every attempt of the company. */
  seq: number;
  revision: number;
  /** Where `revision` ends a run of skipped ones, its first. */
  from: number | null;
  type: string | null;
  outcome: 'DELIVERED' | 'FAILED' | 'DEAD' | 'SKIPPED';
  /** How many there were at this change, this one included. */
  attempt: number;
  at: number;
  nextAt: number | null;
} & Report;

export type AttemptQuery = { name: string; before: number | null; limit: number; outcomes: readonly string[] | null };

/** A company's dispatcher (a Durable Object). */
export type DispatcherApi = {
  /** The log goes on, or who follows it has changed. @param retry a line that need not wait any longer */
  wake(companyId: string, retry?: string): Promise<void>;
  /** Attempts of one line, the latest first. */
  attempts(query: AttemptQuery): Promise<Attempt[]>;
};

export type Dispatchers = (companyId: string) => DispatcherApi;
