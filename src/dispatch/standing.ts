import type { Closing } from '../data/dispatch.ts';
import type { Position } from '../data/position.ts';

/** Where a line stands, and how it fares with the change that comes next. Times in ms. */
export type Standing = {
  position: Position;
  generation: number;
  /** Attempts at the next change that failed, and when the first of them was. */
  attempts: number;
  firstAt: number | null;
  /** Since when nothing was taken; null: the last attempt was. */
  failingSince: number | null;
  /** Nothing is tried before. */
  notBefore: number;
};

/** Pauses between attempts at one change, the first of them being the unit: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h. */
const PAUSES = [1, 60, 360, 1440, 3600, 7200];
/** After so long since the first attempt the last one is made: 24 h. */
const WINDOW = 17_280;
/** A line that has taken nothing for so long is closed: 3 days. */
const PATIENCE = 3 * WINDOW;
/** Each pause is up to a tenth shorter or longer, so that those who failed together do not return together. */
const JITTER = 0.1;

/** @param unit the first pause, ms @param random from 0 to 1 */
export type Pacing = { unit: number; random: () => number };

export const begin = (position: Position, generation: number): Standing => ({
  ...{ position, generation, attempts: 0, firstAt: null, failingSince: null, notBefore: 0 },
});

/** The next change is dealt with: what counted was about it. */
export const passed = (standing: Standing, revision: number): Standing => ({
  ...standing,
  position: { ...standing.position, revision },
  attempts: 0,
  firstAt: null,
  notBefore: 0,
});

/** It was taken. */
export const taken = (standing: Standing, revision: number): Standing => ({
  ...passed(standing, revision),
  failingSince: null,
});

export type Failure =
  | { verdict: 'again'; standing: Standing }
  /** Given up: the line goes on behind it. */
  | { verdict: 'dead'; standing: Standing }
  /** The line is to be closed; it stands where it stood. */
  | { verdict: Closing; standing: Standing };

/** An attempt at this revision failed. */
export function failed(standing: Standing, revision: number, now: number, { unit, random }: Pacing): Failure {
  const firstAt = standing.firstAt ?? now;
  const failingSince = standing.failingSince ?? now;
  const attempts = standing.attempts + 1;
  if (now - failingSince >= PATIENCE * unit)
    return { verdict: 'FAILING', standing: { ...standing, attempts, firstAt, failingSince } };
  const end = firstAt + WINDOW * unit;
  if (now >= end) return { verdict: 'dead', standing: { ...passed(standing, revision), failingSince } };
  const pause = (PAUSES[attempts - 1] ?? WINDOW) * unit * (1 - JITTER + 2 * JITTER * random());
  const notBefore = Math.min(end, Math.round(now + pause));
  return { verdict: 'again', standing: { ...standing, attempts, firstAt, failingSince, notBefore } };
}

/** Nobody outside is to blame: not counted, and tried again after a pause. */
export const stuck = (standing: Standing, now: number, pause: number): Standing => ({
  ...standing,
  notBefore: now + pause,
});

/**
 * Where a line goes on after the history was replaced (another epoch). A restore takes revisions back and numbers others anew:
 * the first of those is sent, whatever was sent under its number before. Where only the name of the history changed, nothing is.
 * @param renumbered the first revision of the new history, null where none has been written yet
 */
export function inEpoch(standing: Standing, head: Position, renumbered: number | null): Standing {
  if (standing.position.epoch === head.epoch) return standing;
  const last = Math.min(head.revision, (renumbered ?? Number.MAX_SAFE_INTEGER) - 1);
  const revision = Math.min(standing.position.revision, last);
  const moved = revision < standing.position.revision;
  const position = { epoch: head.epoch, revision };
  return moved ? { ...passed(standing, revision), position } : { ...standing, position };
}

/** What a line missed because the log no longer holds it: the run of revisions, or null. `oldest`: the first that is kept. */
export const missed = ({ position }: Standing, oldest: number): { from: number; to: number } | null =>
  position.revision < oldest - 1 ? { from: position.revision + 1, to: oldest - 1 } : null;

/** Whether there is something to be walked. */
export const isBehind = ({ position }: Standing, head: Position): boolean =>
  position.epoch !== head.epoch || position.revision < head.revision;
