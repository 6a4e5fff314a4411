import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { alone, ofBundle } from '../local/miniflare.ts';
import { freePort } from '../local/ports.ts';
import { bundleOther } from './bundle.ts';
import { type Bench, withPid } from './stack.ts';

export type PlainWorker = { url: string; pid: number | null; stop(): Promise<void> };

/** Bundles the bare Hono Worker and runs it as Clients+ is run, answering `body`, with `headers` and logging `line` if any; it reaches the same bridges. */
export async function startBare(
  { dir, vars, neon }: Bench,
  body: string,
  { headers, line }: { headers?: Readonly<Record<string, string>>; line?: string } = {},
): Promise<PlainWorker> {
  const bundle = await bundleOther(join(import.meta.dirname, 'bare-worker.ts'), join(dir, 'bare'));
  return startPlain(bundle, {
    BODY: body,
    ...(headers !== undefined && { HEADERS: JSON.stringify(headers) }),
    ...(line !== undefined && { LINE: line }),
    REDIS_URL: String(vars.UPSTASH_REDIS_REST_URL),
    REDIS_TOKEN: String(vars.UPSTASH_REDIS_REST_TOKEN),
    SQL_URL: `http://127.0.0.1:${neon.port}/sql`,
    DATABASE_URL: String(vars.DATABASE_URL),
  });
}

/** Runs a Worker, most often without Durable Objects, on a socket of its own. */
export function startPlain(
  bundle: string,
  bindings: Record<string, string> = {},
  durableObjects: Record<string, { className: string; useSQLite: true }> = {},
  wanted: number | null = null,
): Promise<PlainWorker> {
  return withPid(async () => {
    const port = wanted ?? (await freePort());
    const mf = new Miniflare(
      convertV4MiniflareOptions({
        ...(await alone()),
        handleStructuredLogs: () => undefined,
        workers: [
          {
            name: 'plain',
            ...ofBundle(bundle, port),
            bindings,
            durableObjects,
          },
        ],
      }),
    );
    await mf.ready;
    return { url: `http://127.0.0.1:${port}`, stop: () => mf.dispose() };
  });
}
