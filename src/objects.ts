import { grantAfter, listenerMay, livingListeners } from './account/listening.ts';
import { BASE, modules } from './app.ts';
import { type Deps, openDeps } from './data/deps.ts';
import { type DispatcherParts, LogDispatcher } from './dispatch/dispatcher.ts';
import { type Env, nearTo } from './env.ts';
import { liveLists } from './http/live-lists.ts';
import { MetricsMonitor, type MonitorParts } from './monitoring/monitor.ts';
import { audienceOf } from './realtime/audience.ts';
import { Room } from './realtime/company-room.ts';
import type { RoomParts } from './realtime/listening.ts';
import { Watch } from './realtime/redis-watch.ts';
import { constraints, registry } from './registry.ts';
import { loadSettings } from './settings.ts';
import { watchedAlerts } from './webhooks/alerts/watched.ts';
import { webhookConsumer } from './webhooks/deliveries/consumer.ts';

// What belongs together wherever it is deployed: rooms, the watch they alarm, the dispatchers they wake and the monitor they tell
// (index.ts, rooms.ts).

const opened = new WeakMap<object, Deps>();
const audience = audienceOf(registry, { may: listenerMay, grantAfter }, liveLists(BASE, modules));

/** What this isolate reaches the outside with: holds no socket and no request, so one set serves all requests. */
export function depsOf(env: Env): Deps {
  let deps = opened.get(env);
  if (deps === undefined) {
    const settings = loadSettings(env);
    const near = nearTo(settings);
    const rooms = (companyId: string) => env.ROOMS.get(env.ROOMS.idFromName(companyId), near);
    const watch = () => env.WATCH.get(env.WATCH.idFromName('redis'), near);
    const dispatchers = (companyId: string) => env.DISPATCHERS.get(env.DISPATCHERS.idFromName(companyId), near);
    const monitor = () => env.MONITOR.get(env.MONITOR.idFromName('monitor'), near);
    deps = openDeps(settings, registry, constraints, { rooms, watch, dispatchers, monitor });
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

export class Dispatcher extends LogDispatcher {
  protected override parts(env: Env): DispatcherParts {
    const deps = depsOf(env);
    return { deps, consumers: (ctx) => [webhookConsumer({ ctx, deps })] };
  }
}

export class Monitor extends MetricsMonitor {
  protected override parts(env: Env): MonitorParts {
    const deps = depsOf(env);
    return { settings: deps.settings, alerts: (ctx) => watchedAlerts({ ctx, deps }) };
  }
}
