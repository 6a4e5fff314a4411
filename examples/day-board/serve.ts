import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join, normalize } from 'node:path';

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
  return new Promise((started) => server.listen(port, '127.0.0.1', () => started(server)));
}

if (import.meta.main) {
  const port = Number(process.argv[2] ?? 8788);
  await serveDayBoard(port);
  console.log(`The day board: http://127.0.0.1:${port}/ (of the API at http://127.0.0.1:8787; another one: ?api=URL)`);
}
