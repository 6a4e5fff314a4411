import type { Writer } from './log.ts';

/** Everything a job needs besides its rows, as plain data: it is kept in the object's own storage. */
export type JobSpec = {
  companyId: string;
  /** Of the request that asked for it; in the log of every change it makes. */
  requestId: string;
  resource: string;
  /** The columns of CSV; null: the rows are lines of NDJSON. */
  header: string[] | null;
  /** The field per column of the file, null for those that are not read; columns that are not here are fields. */
  mapping: Readonly<Record<string, string | null>>;
  /** What rows find their object by. */
  match: 'externalId' | 'email' | 'phone';
  /** Who asked. The credential is checked again in every transaction. */
  writer: Writer;
};

/** Rows of a file after its first `first`: a JSON array of RawRow, well below the 2 MB a value may have. */
export type Packet = { first: number; count: number; rows: string };

/** A company's jobs (a Durable Object), which go on after the request that asked for them. */
export type JobsApi = {
  /** Keeps packets of a job that is being uploaded. False: too many jobs are waiting. */
  stage(jobId: string, spec: JobSpec, packets: readonly Packet[]): Promise<boolean>;
  /** All packets are here and the job is about to be committed: from now on the alarm looks whether it was. */
  seal(jobId: string, total: number): Promise<void>;
  /** The job is committed. */
  start(jobId: string): Promise<void>;
  /** The job will not be. */
  discard(jobId: string): Promise<void>;
  /** Those of the jobs that nothing is kept of here: they have ended, or what was kept is lost. */
  missing(jobIds: readonly string[]): Promise<string[]>;
};

/** What became of a step. `done` counts rows of the job; the next step begins there. */
export type StepOutcome =
  | { kind: 'went'; done: number }
  /** The job has ended, well or not, or is not there any more. */
  | { kind: 'ended' }
  /** Nothing happened; `blame` says whether waiting can help or somebody must repair something. */
  | { kind: 'stuck'; blame: 'world' | 'us' };

/** One step's input: the rows of the job after its first `first`. */
export type Step = {
  jobId: string;
  spec: JobSpec;
  first: number;
  rows: readonly unknown[];
  /** See ChunkWork. */
  firstWith: (key: string, row: number) => number;
};

/** The work itself, injected: this folder knows no context. */
export type JobWorker = {
  step(step: Step, waitUntil: (work: Promise<unknown>) => void): Promise<StepOutcome>;
  /** Whether the job was committed. @throws AppError */
  exists(companyId: string, jobId: string): Promise<boolean>;
  /** Ends a job that cannot go on. @throws AppError */
  fail(companyId: string, jobId: string, code: string, detail: string): Promise<void>;
};
