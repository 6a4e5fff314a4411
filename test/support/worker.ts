import { dirname, join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { alone, COMPATIBILITY_DATE, ofBundle } from '../../local/miniflare.ts';
import { freePort } from '../../local/ports.ts';

export type WorkerOptions = {
  bundle: string;
  vars: Record<string, string>;
  /** Where Durable Objects keep their state; absent: in memory. */
  persist?: string;
  port?: number;
  /** For the debugger's protocol, which tells how large the heap is. */
  inspectorPort?: number;
  /** Isolates that share the Durable Objects of the first. Default 1. */
  isolates?: number;
  /** Settings of all but the first that differ. */
  elsewhere?: Record<string, string>;
  /** A module whose class CompanyRoom stands in the place of the room. */
  rooms?: string;
  /** A module that stands before the bundle, which it imports as `./index.js` and hands on with changes of its own. */
  front?: string;
  /** What stands in the place of the binding ASSETS; null: it is not bound. */
  assets?: { external: { address: string; http: object } } | null;
};

export type RunningWorker = {
  /** Straight to the Worker, past Miniflare's entry. */
  url: string;
  /** Those of all its isolates, the first included. */
  urls: readonly string[];
  /** Through the entry, which does to a request what the platform does, such as writing its own Accept-Encoding. */
  entry: string;
  /** Fires the cron handler, as the platform does every minute. */
  sweep(): Promise<void>;
  /** Everything the Worker wrote to its log. */
  logs: string[];
  stop(): Promise<void>;
};

const NAME = 'clients-plus';

const standIn = (script: string) => ({
  name: 'rooms',
  modules: [{ type: 'ESModule' as const, path: 'rooms.mjs', contents: script }],
  compatibilityDate: COMPATIBILITY_DATE,
  durableObjects: { ROOMS: { className: 'CompanyRoom', useSQLite: true } },
});

function isolate({ bundle, vars, rooms, front, assets, ...options }: WorkerOptions, port: number, index: number) {
  const before =
    front === undefined
      ? []
      : [{ type: 'ESModule' as const, path: join(dirname(bundle), 'front.js'), contents: front }];
  const whole = ofBundle(bundle, port);
  const elsewhere = index === 0 ? {} : { scriptName: NAME };
  return {
    name: index === 0 ? NAME : `${NAME}-${index}`,
    ...whole,
    ...(assets === undefined ? {} : { serviceBindings: assets === null ? {} : { ASSETS: assets } }),
    modules: [...before, ...whole.modules],
    compatibilityFlags: [...whole.compatibilityFlags, ...(front === undefined ? [] : ['unsafe_module'])],
    bindings: index === 0 ? vars : { ...vars, ...options.elsewhere },
    durableObjects: {
      ROOMS: {
        className: 'CompanyRoom',
        useSQLite: true,
        ...(rooms === undefined ? elsewhere : { scriptName: 'rooms' }),
      },
      WATCH: { className: 'RedisWatch', useSQLite: true, ...elsewhere },
      JOBS: { className: 'Jobs', useSQLite: true, ...elsewhere },
      DISPATCHERS: { className: 'Dispatcher', useSQLite: true, ...elsewhere },
      MONITOR: { className: 'Monitor', useSQLite: true, ...elsewhere },
    },
  };
}

/** A port that was free a moment ago may be another's by the time workerd binds it. */
const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_ADDRESS_IN_USE';
const TRIES = 4;

/** Runs a production bundle in workerd, inside this process. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await start(options);
    } catch (error) {
      if (left === 0 || options.port !== undefined || !isTaken(error)) throw error;
    }
  }
}

async function start(options: WorkerOptions): Promise<RunningWorker> {
  const ports = [options.port ?? (await freePort())];
  while (ports.length < (options.isolates ?? 1)) ports.push(await freePort());
  const logs: string[] = [];
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      ...(await alone()),
      unsafeTriggerHandlers: true,
      ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
      handleStructuredLogs: ({ message }: { message: string }) => void logs.push(message),
      ...(options.persist === undefined ? {} : { resourcePersistencePath: options.persist }),
      workers: [
        ...ports.map((port, index) => isolate(options, port, index)),
        ...(options.rooms === undefined ? [] : [standIn(options.rooms)]),
      ],
    }),
  );
  const entry = await mf.ready.catch(async (error: unknown) => {
    await mf.dispose();
    throw error;
  });
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  return {
    url: urls[0] ?? '',
    urls,
    entry: entry.origin,
    logs,
    async sweep() {
      const answer = await mf.dispatchFetch('http://localhost/cdn-cgi/local/scheduled?cron=*+*+*+*+*');
      if (!answer.ok) throw new Error(`sweep answered ${answer.status}`);
      await answer.text();
    },
    stop: () => mf.dispose(),
  };
}
