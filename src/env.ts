import type { DispatcherApi } from './data/dispatch.ts';
import type { JobsApi } from './data/jobs.ts';
import type { MonitorApi } from './data/monitor.ts';
import type { WatchApi } from './data/pulse.ts';
import type { RoomStub } from './data/rooms.ts';
import type { Settings } from './settings.ts';

/** Durable Objects of one class, as far as they are asked for something. */
export type Objects<Api> = {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId, options?: DurableObjectNamespaceGetDurableObjectOptions): Api;
};

/** Static assets of the deployment. */
export type Assets = { fetch(url: string, how: { signal: AbortSignal }): Promise<Response> };

/** What the platform hands to the Worker. Every setting is text; `loadSettings` checks and types them. */
export type Env = {
  ROOMS: Objects<RoomStub>;
  WATCH: Objects<WatchApi>;
  JOBS: Objects<JobsApi>;
  DISPATCHERS: Objects<DispatcherApi>;
  MONITOR: Objects<MonitorApi>;
  /** The pages and the API's description (`local/site.ts`); a Worker of rooms alone has none. */
  ASSETS?: Assets;
} & Record<string, unknown>;

/** Where an object is first put, which is where it stays. */
export const nearTo = ({ locationHint }: Settings): DurableObjectNamespaceGetDurableObjectOptions =>
  locationHint === null ? {} : { locationHint };

/** The company's Durable Object that works its imports off. */
export const jobsOf = ({ JOBS }: Env, settings: Settings, companyId: string): JobsApi =>
  JOBS.get(JOBS.idFromName(companyId), nearTo(settings));
