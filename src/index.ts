import { grantAfter, listenerMay, livingListeners } from './account/listening.ts';
import { BASE, makeApp, modules } from './app.ts';
import { formatId, newUuid } from './core/id.ts';
import { makeCtx } from './data/ctx.ts';
import { type Deps, openDeps } from './data/deps.ts';
import type { JobsApi, JobWorker } from './data/jobs.ts';
import { type DispatcherParts, LogDispatcher } from './dispatch/dispatcher.ts';
import { wakeLaggards } from './dispatch/laggards.ts';
import { type Env, jobsOf, nearTo } from './env.ts';
import { logFault } from './http/fault.ts';
import { liveLists } from './http/live-lists.ts';
import { observe } from './http/observe.ts';
import { toAppError } from './http/problem.ts';
import { importWorker } from './insight/imports/worker.ts';
import { reconcile } from './jobs/reconcile.ts';
import { retain } from './jobs/retention.ts';
import { JobRunner } from './jobs/runner.ts';
import { sweep } from './jobs/sweep.ts';
import { audienceOf } from './realtime/audience.ts';
import { Room } from './realtime/company-room.ts';
import type { RoomParts } from './realtime/listening.ts';
import { Watch } from './realtime/redis-watch.ts';
import { constraints, importers, registry } from './registry.ts';
import { loadSettings } from './settings.ts';
import { webhookConsumer } from './webhooks/deliveries/consumer.ts';

const opened = new WeakMap<object, Deps>();
const audience = audienceOf(registry, { may: listenerMay, grantAfter }, liveLists(BASE, modules));

/** What this isolate reaches the outside with: holds no socket and no request, so one set serves all requests. */
function depsOf(env: Env): Deps {
  let deps = opened.get(env);
  if (deps === undefined) {
    const settings = loadSettings(env);
    const near = nearTo(settings);
    const rooms = (companyId: string) => env.ROOMS.get(env.ROOMS.idFromName(companyId), near);
    const watch = () => env.WATCH.get(env.WATCH.idFromName('redis'), near);
    const dispatchers = (companyId: string) => env.DISPATCHERS.get(env.DISPATCHERS.idFromName(companyId), near);
    deps = openDeps(settings, registry, constraints, { rooms, watch, dispatchers });
    opened.set(env, deps);
  }
  return deps;
}

export class CompanyRoom extends Room {
  protected override parts(env: Env): RoomParts {
    const deps = depsOf(env);
    return {
      deps,
      audience,
      living: (ctx, companyId, listeners) => livingListeners({ ctx, deps }, companyId, listeners),
    };
  }
}

export class RedisWatch extends Watch {
  protected override deps(env: Env): Deps {
    return depsOf(env);
  }
}

export class Jobs extends JobRunner {
  protected override worker(env: Env): JobWorker {
    return importWorker(depsOf(env), importers);
  }
}

export class Dispatcher extends LogDispatcher {
  protected override parts(env: Env): DispatcherParts {
    const deps = depsOf(env);
    return { deps, consumers: (ctx) => [webhookConsumer({ ctx, deps })] };
  }
}

const app = makeApp();

export default {
  fetch: observe(depsOf, app.fetch), // id, clock, deps; one log line; then app.ts
  async scheduled(_controller, env, executionCtx) {
    const ctx = makeCtx(formatId('req', newUuid()), (work) => executionCtx.waitUntil(work));
    const jobs = (companyId: string): JobsApi => jobsOf(env, depsOf(env).settings, companyId);
    const say = (job: string, facts: object): void =>
      console.log(JSON.stringify({ level: 'info', requestId: ctx.requestId, job, ...facts }));
    // One that fails keeps none of the others from its turn.
    const turns = [
      async () => say('sweep', { behind: await sweep(ctx, depsOf(env)), ...ctx.notes }),
      async () => {
        const lost = await reconcile(ctx, depsOf(env), jobs, importWorker(depsOf(env), importers));
        if (lost > 0) say('reconcile', { level: 'warn', lost });
      },
      async () => {
        const woken = await wakeLaggards(ctx, depsOf(env));
        if (woken > 0) say('laggards', { woken });
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
