import { dirname } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { freePort } from '../../local/ports.ts';

export type WorkerOptions = {
  bundle: string;
  vars: Record<string, string>;
  /** Where Durable Objects keep their state; absent: in memory. */
  persist?: string;
  port?: number;
};

export type RunningWorker = {
  /** Straight to the Worker, past Miniflare's entry. */
  url: string;
  /** Fires the cron handler, as the platform does every minute. */
  sweep(): Promise<void>;
  /** Everything the Worker wrote to its log. */
  logs: string[];
  stop(): Promise<void>;
};

/** Runs a production bundle in workerd, inside this process. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const port = options.port ?? (await freePort());
  const logs: string[] = [];
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: await freePort(),
      log: new Log(LogLevel.ERROR),
      cf: false,
      unsafeTriggerHandlers: true,
      handleStructuredLogs: ({ message }: { message: string }) => void logs.push(message),
      ...(options.persist === undefined ? {} : { resourcePersistencePath: options.persist }),
      workers: [
        {
          name: 'clients-plus',
          modulesRoot: dirname(options.bundle),
          modules: [{ type: 'ESModule', path: options.bundle }],
          compatibilityDate: '2026-10-20',
          compatibilityFlags: ['nodejs_compat'],
          bindings: options.vars,
          durableObjects: {
            ROOMS: { className: 'CompanyRoom', useSQLite: true },
            JOBS: { className: 'Jobs', useSQLite: true },
          },
          unsafeDirectSockets: [{ host: '127.0.0.1', port }],
        },
      ],
    }),
  );
  await mf.ready;
  return {
    url: `http://127.0.0.1:${port}`,
    logs,
    async sweep() {
      const answer = await mf.dispatchFetch('http://localhost/cdn-cgi/local/scheduled?cron=*+*+*+*+*');
      if (!answer.ok) throw new Error(`sweep answered ${answer.status}`);
      await answer.text();
    },
    stop: () => mf.dispose(),
  };
}
