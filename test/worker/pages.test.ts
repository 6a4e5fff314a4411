import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { siteBeside } from '../../local/miniflare.ts';
import { freePort } from '../../local/ports.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { document } from '../support/document.ts';
import { sharedWorld } from '../support/shared.ts';
import { until } from '../support/until.ts';
import { startWorker } from '../support/worker.ts';

const world = await sharedWorld();

const get = async (path: string, headers: Record<string, string> = {}): Promise<{ answer: Response; text: string }> => {
  const answer = await fetch(`${world.worker.url}${path}`, { headers });
  return { answer, text: await answer.text() };
};

const API = '/api/v1/openapi.json';
const PLACES: Readonly<Record<string, string>> = {
  'home.html': '/',
  'docs.html': '/docs',
  'dashboard.html': '/dashboard',
  'favicon.svg': '/favicon.svg',
  'openapi.json': API,
};

test('what was made beside the bundle is served whole, file by file', async () => {
  const site = siteBeside(inject('bundle'));
  const names = await readdir(site);
  expect(names).toEqual(expect.arrayContaining(Object.keys(PLACES)));
  for (const name of names) {
    const made = await readFile(join(site, name), 'utf8');
    // The first reading of an isolate makes its name, the others pass it through.
    for (const isolate of [world.worker.url, world.worker.url, ...world.elsewhere]) {
      const answer = await fetch(`${isolate}${PLACES[name] ?? `/assets/${name}`}`);
      expect([answer.status, await answer.text()], name).toEqual([200, made]);
      const version = createHash('sha256').update(made).digest('hex').slice(0, 16);
      expect(answer.headers.get('etag')).toBe(`"${version}"`);
    }
  }
});

test('the OpenAPI document may be kept for five minutes, is told apart by its ETag and read from anywhere', async () => {
  const url = `${world.worker.url}${API}`;
  const { answer } = await get(API, { Origin: 'https://example.com' });
  expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
    'application/json',
    'public, max-age=300',
  ]);
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  const again = await get(API, { 'If-None-Match': `W/"other", ${answer.headers.get('etag')}` });
  expect([again.answer.status, again.text]).toEqual([304, '']);
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, answer.headers.get('etag'), '']);
  expect((await fetch(url, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
});

test('without its files a deployment says so and serves all else', async () => {
  const gone = { external: { address: `127.0.0.1:${await freePort()}`, http: {} } };
  const cases = [
    { assets: null, status: 500, code: 'internal_error', state: { state: 'ASSETS is not bound' } },
    { assets: gone, status: 503, code: 'busy', state: {} },
  ];
  for (const { assets, status, code, state } of cases) {
    const worker = await startWorker({ bundle: inject('bundle'), vars: world.vars, assets });
    onTestFinished(() => worker.stop());
    for (const path of ['/', '/assets/page.css', API]) {
      const answer = await fetch(`${worker.url}${path}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
      const { requestId, ...problem } = (await answer.json()) as Record<string, unknown>;
      expect(problem).toMatchObject({ status, code, instance: path });
      const fault = await until('its line', () =>
        worker.logs
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .find((line) => line.requestId === requestId && 'cause' in line),
      );
      expect(fault).toMatchObject({ level: 'error', code, ...state });
    }
    expect((await fetch(`${worker.url}/api/v1/health/live`)).status).toBe(200);
  }
});

test.each(['/', '/docs', '/dashboard'])(
  '%s runs scripts and styles of ours alone, each named by its content',
  async (path) => {
    const { answer, text } = await get(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    // No script, style or handler stands in the page itself.
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
    const loaded = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)" integrity="([^"]+)"/g)];
    expect(loaded.length).toBeGreaterThan(0);
    for (const [, url = '', integrity] of loaded) {
      const asset = await get(url);
      expect(asset.answer.headers.get('cache-control')).toContain('immutable');
      expect(`sha256-${createHash('sha256').update(asset.text).digest('base64')}`).toBe(integrity);
      expect((await get(url.split('?')[0] ?? '')).answer.headers.get('cache-control')).toBe('no-cache');
    }
  },
);

test('every header of an answer is on pages too; who has one is told so', async () => {
  const { answer } = await get('/');
  for (const name of ['request-id', 'x-response-time', 'strict-transport-security', 'permissions-policy']) {
    expect(answer.headers.get(name), name).not.toBeNull();
  }
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  const again = await get('/', { 'If-None-Match': answer.headers.get('etag') ?? '' });
  expect([again.answer.status, again.text]).toEqual([304, '']);
  expect((await fetch(`${world.worker.url}/`, { method: 'POST' })).status).toBe(405);
  expect((await get('/favicon.ico')).answer.headers.get('content-type')).toBe('image/svg+xml');
});

test('who asks beside the API is told where it is', async () => {
  const detailOf = async (path: string) => JSON.parse((await get(path)).text).detail;
  for (const path of ['/clients', '/api/v1/api/v1/clients'])
    expect(await detailOf(path)).toBe('There is nothing at this path. The API is below /api/v1.');
  expect(await detailOf('/api/v1/nowhere')).toBe('There is nothing at this path.');
});

test('the type of a problem leads to its code on this very host', async () => {
  const reply = await world.api.get('/nowhere');
  const url = new URL(String(reply.json.type), world.worker.url);
  const { answer, text } = await get(url.pathname);
  expect(answer.status).toBe(200);
  expect(text).toContain(`id="${url.hash.slice(1)}"`);
  for (const code of Object.keys(ERROR_CODES)) expect(text).toContain(`<tr id="${code}">`);
});

test('/docs says of an operation what it takes and how it may refuse', async () => {
  const { text } = await get('/docs');
  const row = (method: string, path: string): string =>
    text.split('\n').find((line) => line.includes(`>${method}</span> <code>/api/v1${path}</code>`)) ?? '';
  expect(row('GET', '/clients')).toContain('<code>createdAfter</code>');
  expect(row('PATCH', '/clients/{id}')).toMatch(
    /<dt>path<\/dt><dd><code>id<\/code>\*.*<code>If-Match<\/code>.*<code>firstName<\/code>/,
  );
  expect(row('POST', '/auth/login')).toContain('<dt>body</dt><dd><code>email</code>* <code>password</code>*');
  expect(row('POST', '/clients')).toContain('<a href="#external_id_taken">');
});

test('/docs shows of an operation what is sent and answered, as the OpenAPI document does', async () => {
  const { text } = await get('/docs');
  const [, booking = ''] = text.split('>POST</span> <code>/api/v1/appointments</code>');
  const shown = [...booking.matchAll(/<figcaption>(.*?)<\/figcaption><pre>(.*?)<\/pre>/gs)].slice(0, 2);
  const read = shown.map(([, name, json = '']) => [name, JSON.parse(json.replaceAll('&quot;', '"'))]);
  const { examples } = document.components;
  expect(read).toEqual([
    ['Sent', examples?.AppointmentCreate?.value],
    ['Answered', examples?.Appointment?.value],
  ]);
});
