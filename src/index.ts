import { makeApp } from './app.ts';
import { newRequestId } from './core/id.ts';
import { makeCtx } from './data/ctx.ts';
import type { JobsApi, JobWorker } from './data/jobs.ts';
import { callRoom } from './data/rooms.ts';
import { wakeLaggards } from './dispatch/laggards.ts';
import { type Env, jobsOf } from './env.ts';
import { logFault } from './http/fault.ts';
import { observe } from './http/observe.ts';
import { toAppError } from './http/problem.ts';
import { importWorker } from './insight/imports/worker.ts';
import { maintain } from './jobs/maintain.ts';
import { reconcile } from './jobs/reconcile.ts';
import { retain } from './jobs/retention.ts';
import { JobRunner } from './jobs/runner.ts';
import { sweep } from './jobs/sweep.ts';
import { tellZones } from './jobs/zones.ts';
import { depsOf } from './objects.ts';
import { importers } from './registry.ts';

export { CompanyRoom, Dispatcher, Monitor, RedisWatch } from './objects.ts';

export class Jobs extends JobRunner {
  protected override worker(env: Env): JobWorker {
    return importWorker(depsOf(env), importers());
  }
}

const app = makeApp();

export default {
  fetch: observe(depsOf, app.fetch), // id, clock, deps; one log line; then app.ts
  async scheduled(_controller, env, executionCtx) {
    const ctx = makeCtx(newRequestId(), (work) => executionCtx.waitUntil(work));
    const jobs = (companyId: string): JobsApi => jobsOf(env, depsOf(env).settings, companyId);
    const say = (job: string, facts: object): void =>
      console.log(JSON.stringify({ level: 'info', requestId: ctx.requestId, job, ...facts }));
    // One that fails keeps none of the others from its turn.
    const turns = [
      async () => say('sweep', { behind: await sweep(ctx, depsOf(env)), ...ctx.notes }),
      async () => {
        const lost = await reconcile(ctx, depsOf(env), jobs, importWorker(depsOf(env), importers()));
        if (lost > 0) say('reconcile', { level: 'warn', lost });
      },
      async () => {
        const woken = await wakeLaggards(ctx, depsOf(env));
        if (woken > 0) say('laggards', { woken });
      },
      async () => {
        // Its alarm rings by itself; one that was lost is set again.
        await callRoom(ctx, () => depsOf(env).monitor().tend()).catch(() => ctx.note('roomError', 'tend'));
      },
      async () => {
        const done = await maintain(ctx, depsOf(env));
        const { analyzed = [], unclean = [] } = done ?? {};
        if (analyzed.length > 0) say('maintain', { analyzed });
        if (unclean.length > 0) say('maintain', { level: 'warn', unclean });
      },
      async () => {
        const zones = await tellZones(ctx, depsOf(env));
        if (zones !== null && zones.length > 0) say('zones', { zones });
      },
      async () => {
        const forgotten = await retain(ctx, depsOf(env));
        if (forgotten !== null) say('retention', forgotten);
      },
    ];
    const failures: unknown[] = [];
    for (const turn of turns) {
      await turn().catch((error: unknown) => {
        logFault(ctx.requestId, toAppError(error));
        failures.push(error);
      });
    }
    if (failures.length > 0) throw failures[0];
  },
} satisfies ExportedHandler<Env>;
