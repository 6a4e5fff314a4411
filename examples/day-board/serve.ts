import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join, normalize } from 'node:path';

const DEFAULT_API = 'http://127.0.0.1:8787';
const USAGE = 'usage: npm run example -- [PORT] [URL of the API]';
const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  map: 'application/json',
};

/** The page and, below `/client/`, the published client. */
export function serveDayBoard(port: number, client = 'client/dist'): Promise<Server> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(new URL(url, 'http://x').pathname);
    const file = path.startsWith('/client/') ? join(client, path.slice(8)) : join(import.meta.dirname, path);
    const name = file.endsWith('/') ? `${file}index.html` : file;
    const body = await readFile(name).catch(() => null);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    response.writeHead(body === null || type === undefined ? 404 : 200, { 'Content-Type': type ?? 'text/plain' });
    response.end(type === undefined ? undefined : body);
  });
  return new Promise((started, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => started(server));
  });
}

if (import.meta.main) {
  const [port = '8788', api = DEFAULT_API] = process.argv.slice(2);
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535) fail(`${port} is no port. ${USAGE}`);
  if (!/^https?:\/\//.test(api) || !URL.canParse(api)) fail(`${api} is no http(s) URL. ${USAGE}`);
  await serveDayBoard(Number(port)).catch((error: Error) => fail(`Cannot listen on port ${port}: ${error.message}`));
  const asked = api === DEFAULT_API ? '' : `?api=${encodeURIComponent(api)}`;
  console.log(`The day board of the API at ${api}: http://127.0.0.1:${port}/${asked} (another day: ?date=2026-01-31)`);
  const answers = await fetch(new URL('/api/v1/health/live', api)).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!answers) console.error(`No API answers at ${api}: is npm run dev running? ${USAGE}`);
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
