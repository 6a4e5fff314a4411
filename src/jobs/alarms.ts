/** Where a job stands: being uploaded, uploaded and about to be committed, committed. */
export type JobState = 'OPEN' | 'SEALED' | 'STARTED';
export type JobTimes = {
  state: JobState;
  /** Last moved, ms. */
  at: number;
  /** Do not try before, ms. */
  notBefore: number;
};

/** An upload that has sent nothing for so long will not go on, ms. */
export const UPLOAD_PATIENCE = 15 * 60_000;
/** When to look whether a sealed job was committed, ms; the Worker that sealed it says so much sooner unless it died. */
export const SEAL_PATIENCE = 5_000;
/** A commit takes no longer than this, ms: a sealed job that is not there by then never will be. */
export const COMMIT_PATIENCE = 120_000;
/** How long one alarm works before it makes room for the next, ms. */
export const TURN = 5_000;
/** When an alarm that died in the middle is repeated, ms. One that still works then is followed, never joined, by it. */
export const LEASE = 2_000;

/** Pause before the next try of a step that failed `attempts` times in a row, ms. */
export const pauseAfter = (attempts: number): number => Math.min(60_000, 500 * 2 ** Math.min(attempts, 10));

/** Failures that nobody outside is to blame for, without a success between them, before a job is given up. */
const MOST_OWN_FAILURES = 5;

/** Whether a job is given up after one more failure. An outage, however long, is no reason. */
export const isHopeless = (blame: 'world' | 'us', ownFailures: number): boolean =>
  blame === 'us' && ownFailures >= MOST_OWN_FAILURES;

/** When the next alarm is due, ms; null when nothing waits. Of the jobs that were started only the first has its turn. */
export function nextAlarm(jobs: readonly JobTimes[], now: number): number | null {
  if (jobs.length === 0) return null;
  const first = jobs.find(({ state }) => state === 'STARTED');
  const due = jobs.map((job) => {
    const { state, at, notBefore } = job;
    if (state === 'STARTED') return job === first ? Math.max(now, notBefore) : Number.POSITIVE_INFINITY;
    return Math.max(now, notBefore, at + (state === 'SEALED' ? SEAL_PATIENCE : UPLOAD_PATIENCE));
  });
  return Math.min(...due);
}
