import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { writePages } from '../../local/pages.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { sharedWorld } from '../support/shared.ts';

const world = await sharedWorld();

const get = async (path: string, headers: Record<string, string> = {}): Promise<{ answer: Response; text: string }> => {
  const answer = await fetch(`${world.worker.url}${path}`, { headers });
  return { answer, text: await answer.text() };
};

test('the pages are those of public/', async () => {
  expect(await writePages(false)).toBe(false);
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
