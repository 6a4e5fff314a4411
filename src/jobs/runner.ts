import { DurableObject } from 'cloudflare:workers';
import type { JobSpec, JobsApi, JobWorker, Packet, StepOutcome } from '../data/jobs.ts';
import type { Env } from '../env.ts';
import {
  COMMIT_PATIENCE,
  isHopeless,
  LEASE,
  nextAlarm,
  pauseAfter,
  SEAL_PATIENCE,
  TURN,
  UPLOAD_PATIENCE,
} from './alarms.ts';
import { type Job, JobStore } from './store.ts';

/** Jobs of one company that may wait at a time. */
const MOST_JOBS = 20;

/**
 * One per company that imports: keeps the rows of a file and works them off by alarm, because a request's background time
 * ends 30 s after its answer. One job at a time, in the order they came: a company has one writer at a time anyway. How far
 * a job is stands in Postgres, in the same transactions as its rows; what stands here may be behind and is set right there.
 */
export abstract class JobRunner extends DurableObject<Env> implements JobsApi {
  /** Injected by index.ts: this folder knows no context. */
  protected abstract worker(env: Env): JobWorker;

  readonly #store: JobStore;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new JobStore(state.storage.sql);
  }

  async stage(jobId: string, spec: JobSpec, packets: readonly Packet[]): Promise<boolean> {
    if (!this.#store.has(jobId) && this.#store.count() >= MOST_JOBS) return false;
    this.#store.stage(jobId, spec, packets, Date.now());
    await this.#plan();
    return true;
  }

  async seal(jobId: string, total: number): Promise<void> {
    this.#store.seal(jobId, total, Date.now());
    await this.#plan();
  }

  async start(jobId: string): Promise<void> {
    this.#store.start(jobId, Date.now());
    await this.#plan();
  }

  async discard(jobId: string): Promise<void> {
    this.#store.forget(jobId);
  }

  async missing(jobIds: readonly string[]): Promise<string[]> {
    return jobIds.filter((id) => !this.#store.has(id));
  }

  override async alarm(): Promise<void> {
    const started = Date.now();
    // Whatever becomes of this turn, another one comes: the platform's own retries give up after six.
    await this.ctx.storage.setAlarm(started + LEASE);
    for (const job of this.#store.jobs()) if (job.state !== 'STARTED') await this.#settle(job);
    while (Date.now() - started < TURN) {
      const job = this.#store.jobs().find(({ state }) => state === 'STARTED');
      if (job === undefined || job.notBefore > Date.now()) break;
      await this.#step(job);
    }
    await this.#plan();
  }

  async #step(job: Job): Promise<void> {
    const packet = this.#store.packetAt(job.id, job.done);
    if (packet === null) return this.#giveUp(job, 'internal_error', 'Rows of the file were lost.');
    const rows = JSON.parse(packet.rows) as unknown[];
    const from = job.done - packet.first;
    // A chunk that fails is tried smaller: perhaps it was too much work for one transaction.
    const size = Math.max(1, packet.count >> job.attempts);
    const outcome: StepOutcome = await this.worker(this.env)
      .step(
        {
          jobId: job.id,
          spec: job.spec,
          first: job.done,
          rows: rows.slice(from, from + size),
          firstWith: (key, row) => this.#store.firstWith(job.id, key, row),
        },
        (work) => this.ctx.waitUntil(work),
      )
      .catch(() => ({ kind: 'stuck', blame: 'us' }) as const);
    if (outcome.kind === 'ended') this.#store.forget(job.id);
    else if (outcome.kind === 'went') {
      this.#store.went(job.id, outcome.done, Date.now());
      if (outcome.done >= job.total) this.#store.forget(job.id);
    } else if (isHopeless(outcome.blame, job.ownFailures)) {
      await this.#giveUp(job, 'internal_error', 'The import met a fault of ours and stopped.');
    } else {
      if (outcome.blame === 'us') this.#store.blame(job.id);
      this.#store.postpone(job.id, Date.now() + pauseAfter(job.attempts));
    }
  }

  async #giveUp(job: Job, code: string, detail: string): Promise<void> {
    try {
      await this.worker(this.env).fail(job.spec.companyId, job.id, code, detail);
      this.#store.forget(job.id);
    } catch {
      this.#store.postpone(job.id, Date.now() + pauseAfter(job.attempts));
    }
  }

  /** What was uploaded but never said to be committed: looks whether it was, and forgets what never will be. */
  async #settle(job: Job): Promise<void> {
    const age = Date.now() - job.at;
    if (job.state === 'OPEN') {
      if (age >= UPLOAD_PATIENCE) this.#store.forget(job.id);
      return;
    }
    if (age < SEAL_PATIENCE || job.notBefore > Date.now()) return;
    try {
      if (await this.worker(this.env).exists(job.spec.companyId, job.id)) return this.#store.start(job.id, Date.now());
      if (age >= COMMIT_PATIENCE) return this.#store.forget(job.id);
    } catch {
      // Not known is not absent.
    }
    this.#store.postpone(job.id, Date.now() + pauseAfter(job.attempts));
  }

  async #plan(): Promise<void> {
    const next = nextAlarm(this.#store.jobs(), Date.now());
    if (next === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(next);
  }
}
