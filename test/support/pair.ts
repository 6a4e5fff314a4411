import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { alone, ofBundle } from '../../local/miniflare.ts';
import { freePort } from '../../local/ports.ts';

/** Two isolates of one location: they share a Cache API, and nothing else. */
export type Pair = { urls: readonly [string, string]; stop(): Promise<void> };

export async function startPair(bundle: string, vars: Record<string, string>): Promise<Pair> {
  const ports = [await freePort(), await freePort()] as const;
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      ...(await alone()),
      handleStructuredLogs: () => undefined,
      workers: ports.map((port) => ({
        name: `clients-plus-${port}`,
        ...ofBundle(bundle, port),
        bindings: vars,
        durableObjects: {
          ROOMS: { className: 'CompanyRoom', useSQLite: true },
          WATCH: { className: 'RedisWatch', useSQLite: true },
          MONITOR: { className: 'Monitor', useSQLite: true },
        },
      })),
    }),
  );
  await mf.ready;
  return { urls: [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`], stop: () => mf.dispose() };
}
