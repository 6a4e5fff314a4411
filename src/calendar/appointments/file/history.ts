import { AppError } from '../../../core/errors.ts';
import { type AppointmentStatus, FREED, type StatusEntry } from '../table.ts';

/** What a file says of a status. */
export type Said = {
  status: AppointmentStatus | null;
  reason: string | null | undefined;
  history: readonly { status: AppointmentStatus; at: string; by: string | null; reason: string | null }[];
};

/** How it is stored: the database knows who wrote and when, of `steps` and of a new one whose `history` is empty. */
export type Standing = {
  status: AppointmentStatus;
  reason: string | null;
  /** What stands behind what is there already. */
  history: StatusEntry[];
  /** Statuses that nobody told of, gone through on the way. */
  steps: AppointmentStatus[];
};

/** The steps forward (app.next_statuses); whoever comes back from CANCELLED or NO_SHOW does so on purpose, in one step. */
const FORWARD: Readonly<Record<AppointmentStatus, readonly AppointmentStatus[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['CHECKED_IN', 'NO_SHOW', 'CANCELLED'],
  CHECKED_IN: ['IN_PROGRESS', 'CANCELLED'],
  IN_PROGRESS: ['COMPLETED'],
  COMPLETED: [],
  CANCELLED: ['CONFIRMED'],
  NO_SHOW: ['CONFIRMED'],
};

/** The shortest way, which frees no time in between; null when there is none. */
function stepsTo(from: AppointmentStatus, to: AppointmentStatus): AppointmentStatus[] | null {
  const ways: AppointmentStatus[][] = [[]];
  for (const way of ways) {
    const at = way.at(-1) ?? from;
    if (at === to) return way;
    if (way.length > 0 && FREED.has(at)) continue;
    for (const next of FORWARD[at]) if (next !== from && !way.includes(next)) ways.push([...way, next]);
  }
  return null;
}

/** As the log names whoever is not of this system. */
const entry = ({ status, at, by, reason }: Said['history'][number]): StatusEntry => ({
  ...{ status, at, by: by === null ? 'IMPORT' : `IMPORT:${by}`, reason },
});

/** The standing of an appointment that is new. */
export function begun({ status, reason, history }: Said): Standing {
  const last = history.at(-1);
  return {
    status: status ?? last?.status ?? 'PENDING',
    reason: reason ?? last?.reason ?? null,
    history: history.map(entry),
    steps: [],
  };
}

/**
 * The standing of one that is there: nothing of its history is taken back. A file that knows no more of it than is stored
 * changes nothing. @throws AppError illegal_transition
 */
export function continued(
  stored: { status: AppointmentStatus; reason: string | null; history: readonly StatusEntry[] },
  { status, reason, history }: Said,
): Standing {
  const kept: Standing = { status: stored.status, reason: stored.reason, history: [], steps: [] };
  const known = stored.history.length;
  const same = history.every((step, i) => i >= known || isSame(step, stored.history[i]));
  if (history.length > 0 && same && history.length <= known) return kept;
  const told = same && known > 0 ? history.slice(known) : [];
  const wanted = told.at(-1)?.status ?? status ?? history.at(-1)?.status ?? stored.status;
  if (told.length > 0)
    return { status: wanted, reason: reason ?? told.at(-1)?.reason ?? null, history: told.map(entry), steps: [] };
  if (wanted === stored.status) return kept;
  const steps = stepsTo(stored.status, wanted);
  if (steps === null) {
    const detail = `From ${stored.status} an appointment cannot become ${wanted}.`;
    throw new AppError('illegal_transition', detail, {
      faults: [{ pointer: '/status', code: 'illegal_transition', detail }],
    });
  }
  return { status: wanted, reason: reason ?? null, history: [], steps };
}

const isSame = (step: { status: string; at: string }, stored: StatusEntry | undefined): boolean =>
  stored !== undefined && step.status === stored.status && Date.parse(step.at) === Date.parse(stored.at);
