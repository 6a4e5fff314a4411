import { dirname } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { freePort } from '../../local/ports.ts';

/** Two isolates of one location: they share a Cache API, and nothing else. */
export type Pair = { urls: readonly [string, string]; stop(): Promise<void> };

export async function startPair(bundle: string, vars: Record<string, string>): Promise<Pair> {
  const ports = [await freePort(), await freePort()] as const;
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: await freePort(),
      log: new Log(LogLevel.ERROR),
      cf: false,
      handleStructuredLogs: () => undefined,
      workers: ports.map((port) => ({
        name: `clients-plus-${port}`,
        modulesRoot: dirname(bundle),
        modules: [{ type: 'ESModule' as const, path: bundle }],
        compatibilityDate: '2026-10-20',
        compatibilityFlags: ['nodejs_compat'],
        bindings: vars,
        durableObjects: {
          ROOMS: { className: 'CompanyRoom', useSQLite: true },
          WATCH: { className: 'RedisWatch', useSQLite: true },
        },
        unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      })),
    }),
  );
  await mf.ready;
  return { urls: [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`], stop: () => mf.dispose() };
}
