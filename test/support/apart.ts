import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { alone, ofBundle, siteBeside } from '../../local/miniflare.ts';
import { freePort } from '../../local/ports.ts';
import { siteFolder } from '../../local/site/folders.ts';

const root = join(import.meta.dirname, '../..');
const ROOMS = 'clients-plus-rooms';

/** One of the two Workers, in a process of its own. */
export type Half = { url: string; stop(): Promise<void> };

type Options = {
  bundle: string;
  vars: Record<string, string>;
  registry: string;
  port?: number;
  /** Where Durable Objects keep their state; absent: in memory. */
  persist?: string;
};

/** Bundles one of the Workers as `wrangler deploy -c` would. @param name of its file of `wrangler.*.toml` and module of src */
export async function bundleHalf(config: 'wrangler.rooms.toml' | 'wrangler.api.toml', dir: string): Promise<string> {
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG: 'error', CI: '1' };
  const args = [wrangler, 'deploy', '--dry-run', '-c', config, '--outdir', dir];
  await promisify(execFile)(process.execPath, args, { cwd: root, env });
  if (config === 'wrangler.rooms.toml') return join(dir, 'rooms.js');
  const bundle = join(dir, 'index.js');
  await cp(siteFolder, siteBeside(bundle), { recursive: true });
  return bundle;
}

const own = { useSQLite: true };
const there = { useSQLite: true, scriptName: ROOMS };

/** Rooms, the watch, the dispatchers and the monitor, as `wrangler.rooms.toml` binds them. */
export const startRooms = (options: Options): Promise<Half> =>
  start(ROOMS, options, {
    ROOMS: { className: 'CompanyRoom', ...own },
    WATCH: { className: 'RedisWatch', ...own },
    DISPATCHERS: { className: 'Dispatcher', ...own },
    MONITOR: { className: 'Monitor', ...own },
  });

/** The API, as `wrangler.api.toml` binds it. */
export const startApi = (options: Options): Promise<Half> =>
  start('clients-plus-api', options, {
    ROOMS: { className: 'CompanyRoom', ...there },
    WATCH: { className: 'RedisWatch', ...there },
    DISPATCHERS: { className: 'Dispatcher', ...there },
    MONITOR: { className: 'Monitor', ...there },
    JOBS: { className: 'Jobs', ...own },
  });

async function start(
  name: string,
  { bundle, vars, registry, port: wanted, persist }: Options,
  durableObjects: Record<string, { className: string; useSQLite: boolean; scriptName?: string }>,
): Promise<Half> {
  const port = wanted ?? (await freePort());
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      ...(await alone()),
      unsafeDevRegistryPath: registry,
      ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
      workers: [
        {
          name,
          ...ofBundle(bundle, port),
          bindings: vars,
          durableObjects,
        },
      ],
    }),
  );
  await mf.ready;
  return { url: `http://127.0.0.1:${port}`, stop: () => mf.dispose() };
}
