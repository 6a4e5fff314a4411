import type { AppContext } from '../http/context.ts';
import { put, type Routes } from '../http/route.ts';
import { send } from '../http/send.ts';
import { Site } from './site.ts';

/** Scripts and styles of our own and nothing else; forms go through the script or nowhere, so no password lands in a URL. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const OF_PAGES = {
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};
const PAGES = {
  '/': 'home.html',
  '/docs': 'docs.html',
  '/dashboard': 'dashboard.html',
  '/favicon.svg': 'favicon.svg',
  '/favicon.ico': 'favicon.svg',
};
const LOADED = ['page.css', 'dashboard.css', 'session.js', 'home.js', 'dashboard.js'];

/** Pages for people, and the API's own description. What pages show, they ask the API for. */
export function mountPages(router: Routes, base: string): void {
  const site = new Site();
  const pages = [...Object.entries(PAGES), ...LOADED.map((name) => [`/assets/${name}`, name] as const)];
  for (const [path, name] of pages) put(router, 'GET', path, (c) => answer(c, site, name, 'no-cache', OF_PAGES));
  put(router, 'GET', `${base}/openapi.json`, (c) => answer(c, site, 'openapi.json', 'public, max-age=300'));
}

async function answer(
  c: AppContext,
  site: Site,
  name: string,
  usual: string,
  policies: Readonly<Record<string, string>> = {},
): Promise<Response> {
  c.env.state.route = c.req.path;
  const { version, body } = await site.file(c.env.bindings.ASSETS, name, c.req.header('If-None-Match') ?? '');
  // An address that names its content never changes its mind.
  const kept = c.req.query('v') === version ? 'public, max-age=31536000, immutable' : usual;
  const headers = { ...policies, ETag: `"${version}"`, 'Cache-Control': kept };
  if (body === null) return send(c, { status: 304, body, headers });
  return send(c, { status: 200, body, type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? '', headers });
}
