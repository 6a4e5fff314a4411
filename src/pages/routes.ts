import type { Hono } from 'hono';
import type { AppContext, AppEnv } from '../http/context.ts';
import type { RouteModule } from '../http/route.ts';
import { send } from '../http/send.ts';
import { docsPage } from './docs.ts';
import { files } from './files.ts';

/** Scripts and styles of our own and nothing else; forms go through the script or nowhere, so no password lands in a URL. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const OF_PAGES = {
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

type File = { type: string; version: string; body: string };

/** Pages for people. They are texts in the bundle: what they show, they ask the API for. */
export function mountPages(app: Hono<AppEnv>, base: string, modules: readonly RouteModule[]): void {
  let docs: File | null = null;
  app.get('/', (c) => answer(c, files['home.html']));
  app.get('/docs', (c) => {
    docs ??= docsPage(base, modules);
    return answer(c, docs);
  });
  for (const path of ['/favicon.svg', '/favicon.ico']) app.get(path, (c) => answer(c, files['favicon.svg']));
  app.get('/dashboard', (c) => answer(c, files['dashboard.html']));
  for (const name of ['page.css', 'dashboard.css', 'session.js', 'home.js', 'dashboard.js'] as const)
    app.get(`/assets/${name}`, (c) => answer(c, files[name]));
}

function answer(c: AppContext, { type, version, body }: File): Response {
  c.env.state.route = c.req.path;
  const etag = `"${version}"`;
  // An address that names its content never changes its mind.
  const kept = c.req.query('v') === version ? 'public, max-age=31536000, immutable' : 'no-cache';
  const headers = { ...OF_PAGES, ETag: etag, 'Cache-Control': kept };
  const known = c.req.header('If-None-Match')?.includes(etag) === true;
  return known ? send(c, { status: 304, body: null, headers }) : send(c, { status: 200, body, type, headers });
}
