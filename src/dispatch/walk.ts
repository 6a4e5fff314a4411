import type { Attempt, Closing, Consumer, Handled, Line } from '../data/dispatch.ts';
import type { Change } from '../data/log.ts';
import type { Position } from '../data/position.ts';
import { failed, inEpoch, missed, type Pacing, passed, type Standing, stuck, taken } from './standing.ts';

/** A piece of the log behind a revision. `oldest`: the first revision that is kept, the head's next where none is. */
export type LogPiece = { head: Position; oldest: number; changes: readonly Change[] };

/** What is remembered of the lines; synchronous, as the object's storage is. */
export type Memory = {
  standing(name: string): Standing | null;
  put(name: string, standing: Standing): void;
  note(name: string, attempt: Omit<Attempt, 'seq'>): void;
};

/** What a walk reaches the outside through. */
export type WalkParts = {
  companyId: string;
  consumer: Consumer;
  memory: Memory;
  log: {
    after(position: Position, entities: readonly string[]): Promise<LogPiece>;
    /** The first of these revisions and those before it that the present history numbered; null: none. */
    renumbered(upTo: number): Promise<number | null>;
  };
  pacing: Pacing;
  now(): number;
  /** False: the turn is over, or who follows has changed. */
  mayGoOn(): boolean;
};

/** Where a walk ended: at the head, at the end of a piece, where it must wait, where it was told to stop, or for good. */
export type Ending = 'head' | 'more' | 'waits' | 'stopped' | 'closed';

/** How long a line waits whose change could not be handled for a reason of ours, ms. */
const STUCK = 30_000;

/** Handles one piece of the log for one line, in order. @throws AppError when the log cannot be read */
export async function walkPiece(line: Line, parts: WalkParts): Promise<Ending> {
  const { memory, log, now } = parts;
  const standing = memory.standing(line.name);
  if (standing === null) return 'closed';
  if (standing.notBefore > now()) return 'waits';
  const { head, oldest, changes } = await log.after(standing.position, line.entities);
  if (standing.position.epoch !== head.epoch) {
    const renumbered = await log.renumbered(Math.min(standing.position.revision, head.revision));
    memory.put(line.name, inEpoch(standing, head, renumbered));
    return 'more';
  }
  let present = standing;
  const gap = missed(present, oldest);
  if (gap !== null) {
    memory.note(line.name, { ...SKIPPED, revision: gap.to, from: gap.from, at: now() });
    present = passed(present, gap.to);
    memory.put(line.name, present);
  }
  for (const change of changes) {
    if (!parts.mayGoOn()) {
      memory.put(line.name, present);
      return 'stopped';
    }
    const { standing: next, ending } = await handle(line, change, present, parts);
    present = next;
    if (ending !== null) return ending;
  }
  const reached = changes.at(-1)?.revision ?? head.revision;
  if (reached > present.position.revision) present = passed(present, reached);
  memory.put(line.name, present);
  return reached >= head.revision ? 'head' : 'more';
}

const SKIPPED = {
  type: null,
  outcome: 'SKIPPED',
  attempt: 0,
  nextAt: null,
  durationMs: 0,
  status: null,
  error: 'log_trimmed',
} as const;

type Step = { standing: Standing; ending: Ending | null };

async function handle(line: Line, change: Change, standing: Standing, parts: WalkParts): Promise<Step> {
  const { companyId, consumer, memory, now } = parts;
  const { revision } = change;
  const handled = await consumer.handle(companyId, line, change, standing.position.epoch);
  // What nobody was sent is not worth a row: where the line stands is written with what comes next.
  if (handled.kind === 'passed') return { standing: passed(standing, revision), ending: null };
  if (handled.kind === 'stuck') {
    const waiting = stuck(standing, now(), STUCK);
    memory.put(line.name, waiting);
    return { standing: waiting, ending: 'waits' };
  }
  const { standing: next, outcome, closing } = judged(handled, standing, revision, parts);
  const nextAt = outcome === 'FAILED' && closing === null ? next.notBefore : null;
  const { type, report } = handled;
  memory.note(line.name, {
    ...report,
    ...{ revision, from: null, type, outcome, attempt: standing.attempts + 1, at: now(), nextAt },
  });
  memory.put(line.name, next);
  if (closing !== null) return { standing: next, ending: await close(line, next, closing, parts) };
  return { standing: next, ending: outcome === 'FAILED' ? 'waits' : null };
}

type Judged = { standing: Standing; outcome: Attempt['outcome']; closing: Closing | null };

function judged(
  handled: Exclude<Handled, { kind: 'passed' | 'stuck' }>,
  standing: Standing,
  revision: number,
  { now, pacing }: WalkParts,
): Judged {
  if (handled.kind === 'taken') return { standing: taken(standing, revision), outcome: 'DELIVERED', closing: null };
  if (handled.kind === 'over') return { standing, outcome: 'FAILED', closing: 'GONE' };
  const { verdict, standing: next } = failed(standing, revision, now(), pacing);
  if (verdict === 'dead') return { standing: next, outcome: 'DEAD', closing: null };
  return { standing: next, outcome: 'FAILED', closing: verdict === 'again' ? null : verdict };
}

/** Closes a line where it stands: whoever opens it again goes on with the change that was not taken. */
async function close(line: Line, standing: Standing, why: Closing, parts: WalkParts): Promise<Ending> {
  const { companyId, consumer, memory, now } = parts;
  const { name, generation } = line;
  try {
    await consumer.keep(companyId, [{ name, generation, position: standing.position, waitsUntil: null }]);
    await consumer.close(companyId, name, why);
    return 'closed';
  } catch {
    // While the database is away it stays open, and says the same at its next attempt.
    memory.put(name, stuck(standing, now(), STUCK));
    return 'waits';
  }
}

/** Lines of one company that are walked at a time: a Worker may wait for six answers at once, some of them Postgres'. */
const AT_ONCE = 4;

/**
 * Walks lines, a piece each in turn, until all wait, are at the head or may not go on.
 * @returns how each ended @throws AppError when the log cannot be read, after all have ended
 */
export async function walkAll(
  lines: readonly Line[],
  partsOf: (line: Line) => WalkParts,
): Promise<ReadonlyMap<string, Ending>> {
  const endings = new Map<string, Ending>();
  const queue = [...lines];
  const work = async (): Promise<void> => {
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      const parts = partsOf(line);
      const ending = parts.mayGoOn() ? await walkPiece(line, parts) : 'stopped';
      endings.set(line.name, ending);
      if (ending === 'more') queue.push(line);
    }
  };
  const walks = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  const failure = walks.find((walk) => walk.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return endings;
}
