import type { Attempt, Closing, Consumer, Handled, Line } from '../data/dispatch.ts';
import type { Change } from '../data/log.ts';
import type { Position } from '../data/position.ts';
import { type Flights, inOrder } from './flights.ts';
import { failed, inEpoch, missed, type Pacing, passed, type Standing, stuck, taken } from './standing.ts';

/** A piece of the log behind a revision. `oldest`: the first revision that is kept, the head's next where none is. */
export type LogPiece = { head: Position; oldest: number; changes: readonly Change[] };

/** What is remembered of the lines; synchronous, as the object's storage is. */
export type Memory = {
  standing(name: string): Standing | null;
  /** Of a line that is gone, or that somebody has set anew meanwhile, nothing is changed. */
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

/** How a walk went: where it ended, and whether something was taken. */
type Walked = { ending: Ending; hasTaken: boolean };

/** Handles one piece of the log for one line, in order. @throws AppError when the log cannot be read */
async function walkPiece(line: Line, parts: WalkParts): Promise<Walked> {
  const { memory, log, now } = parts;
  let hasTaken = false;
  const ended = (ending: Ending): Walked => ({ ending, hasTaken });
  const standing = memory.standing(line.name);
  if (standing === null) return ended('closed');
  if (standing.notBefore > now()) return ended('waits');
  const { head, oldest, changes } = await log.after(standing.position, line.entities);
  if (standing.position.epoch !== head.epoch) {
    const renumbered = await log.renumbered(Math.min(standing.position.revision, head.revision));
    memory.put(line.name, inEpoch(standing, head, renumbered));
    return ended('more');
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
      return ended('stopped');
    }
    const { standing: next, ending, isTaken } = await handle(line, change, present, parts);
    present = next;
    hasTaken ||= isTaken;
    if (ending !== null) return ended(ending);
  }
  const reached = changes.at(-1)?.revision ?? head.revision;
  if (reached > present.position.revision) present = passed(present, reached);
  memory.put(line.name, present);
  return ended(reached >= head.revision ? 'head' : 'more');
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

type Step = { standing: Standing; ending: Ending | null; isTaken: boolean };

async function handle(line: Line, change: Change, standing: Standing, parts: WalkParts): Promise<Step> {
  const { companyId, consumer, memory, now } = parts;
  const { revision } = change;
  const handled = await consumer.handle(companyId, line, change, standing.position.epoch);
  // What nobody was sent is not worth a row: where the line stands is written with what comes next.
  if (handled.kind === 'passed') return { standing: passed(standing, revision), ending: null, isTaken: false };
  if (handled.kind === 'stuck') {
    const waiting = stuck(standing, now(), STUCK);
    memory.put(line.name, waiting);
    return { standing: waiting, ending: 'waits', isTaken: false };
  }
  const { standing: next, outcome, closing } = judged(handled, standing, revision, parts);
  const nextAt = outcome === 'FAILED' && closing === null ? next.notBefore : null;
  const { type, report } = handled;
  memory.note(line.name, {
    ...report,
    ...{ revision, from: null, type, outcome, attempt: standing.attempts + 1, at: now(), nextAt },
  });
  memory.put(line.name, next);
  const isTaken = outcome === 'DELIVERED';
  if (closing !== null) return { standing: next, ending: await close(line, next, closing, parts), isTaken };
  return { standing: next, ending: outcome === 'FAILED' ? 'waits' : null, isTaken };
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
  // What was refused is not what it would be sent now.
  if (parts.memory.standing(name)?.generation !== generation) return 'stopped';
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

/** What is under way, when a turn is to end although somebody still keeps it waiting, and who hears when that one has ended. */
export type Turn = { flights: Flights; letGo: Promise<void>; late(): void };

/**
 * Walks lines, a piece each in turn, until all wait, are at the head or may not go on. Lines that are under way since an earlier
 * turn are not to be given.
 * @returns how each ended; of those that were let go nothing is said @throws AppError when the log cannot be read
 */
export async function walkAll(
  lines: readonly Line[],
  partsOf: (line: Line) => WalkParts,
  { flights, letGo, late }: Turn,
): Promise<ReadonlyMap<string, Ending>> {
  const endings = new Map<string, Ending>();
  const faults: unknown[] = [];
  let isLetGo = false;
  const end = letGo.then(() => {
    isLetGo = true;
  });
  const expectedOf = (line: Line, { memory }: WalkParts) =>
    flights.expected(line.name, (memory.standing(line.name)?.failingSince ?? null) !== null);
  const entryOf = (line: Line) => {
    const parts = partsOf(line);
    return { line, parts, expected: expectedOf(line, parts) };
  };
  const queue = inOrder(lines.map(entryOf));
  const underWay = new Set<string>();
  const walk = async ({ line, parts }: (typeof queue)[number]): Promise<void> => {
    try {
      const { ending, hasTaken } = await walkPiece(line, parts);
      endings.set(line.name, ending);
      if (hasTaken) flights.prove(line.name);
      if (ending === 'more') queue.push(entryOf(line));
    } catch (error) {
      faults.push(error);
    }
    underWay.delete(line.name);
    if (isLetGo) late();
  };
  while (!isLetGo) {
    for (const entry of [...queue]) {
      const { line, parts, expected } = entry;
      const mayGoOn = parts.mayGoOn() && faults.length === 0;
      if (mayGoOn && !flights.mayStart(expected)) continue;
      queue.splice(queue.indexOf(entry), 1);
      if (!mayGoOn) endings.set(line.name, 'stopped');
      else {
        underWay.add(line.name);
        flights.start(line.name, expected, () => walk(entry));
      }
    }
    if (queue.length === 0 && underWay.size === 0) break;
    await Promise.race([flights.landing(), end]);
  }
  for (const { line } of queue) endings.set(line.name, 'stopped');
  if (faults.length > 0) throw faults[0];
  return endings;
}
