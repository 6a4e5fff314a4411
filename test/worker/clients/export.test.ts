import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');
for (let from = 0; from < 2300; from += 460) {
  const items = Array.from({ length: 460 }, (_, i) => ({
    firstName: `No ${from + i}`,
    phone: `+4366400${10000 + from + i}`,
  }));
  const reply = await salon.api.post('/clients/bulk', { mode: 'atomic', items });
  expect(reply.status, reply.text).toBe(200);
}
// As autovacuum soon would: a plan that takes a handful of rows for granted searches them in seconds.
await world.sql('analyze clients', [], 'cp_owner');

/** The bytes as they travel: fetch would decompress them. */
function raw(
  path: string,
  headers: Record<string, string> = {},
  at: string = salon.api.url,
): Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${at}/api/v1${path}`,
      { headers: { Authorization: `Bearer ${salon.api.token}`, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks) }));
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

const lines = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);

describe('ndjson', () => {
  test('holds every client once, whole, and says where it ends', async () => {
    const reply = await salon.api.get('/clients/export?format=ndjson');
    expect(reply.status, reply.text.slice(0, 200)).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('etag')).toBeNull();
    expect(reply.revision).toBe(2302);
    const all = lines(reply.text);
    expect(all.pop()).toEqual({ _end: true, count: 2300 });
    expect(new Set(all.map(({ id }) => id)).size).toBe(2300);
    const read = await salon.api.get(`/clients/${all[1234]?.id}`);
    expect(all[1234]).toEqual(read.json);
  });

  test('takes the filters, the search and the fields of the list', async () => {
    const reply = await salon.api.get('/clients/export?search=no%20229&fields=firstName');
    const all = lines(reply.text);
    expect(all.pop()).toEqual({ _end: true, count: 13 });
    expect(all.map(({ firstName }) => firstName)).toContain('No 2295');
    expect(Object.keys(all[0] ?? {})).toEqual(['id', 'firstName']);
    const none = await salon.api.get('/clients/export?tag=none');
    expect(none.text).toBe('{"_end":true,"count":0}\n');
  });

  test('is compressed when the caller takes it and it is long enough', async () => {
    const packed = await raw('/clients/export', { 'Accept-Encoding': 'br, gzip;q=0.5' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.headers.vary).toContain('Accept-Encoding');
    expect(lines(gunzipSync(packed.body).toString('utf8')).at(-1)).toEqual({ _end: true, count: 2300 });
    expect(packed.body.length).toBeLessThan(300_000);
    for (const headers of [{}, { 'Accept-Encoding': 'gzip;q=0' }, { 'Accept-Encoding': 'br' }]) {
      const plain = await raw('/clients/export', headers as Record<string, string>);
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(lines(plain.body.toString('utf8'))).toHaveLength(2301);
    }
    const short = await raw('/clients/export?tag=none', { 'Accept-Encoding': 'gzip' });
    expect(short.headers['content-encoding']).toBeUndefined();
  });

  test("is compressed as the caller says, not as the platform's entry does", async () => {
    const sent: [string | null, string | undefined][] = [
      [null, undefined],
      ['identity', undefined],
      ['gzip;q=0', undefined],
      ['br', undefined],
      ['gzip', 'gzip'],
      ['deflate, gzip, br, zstd', 'gzip'],
    ];
    for (const [accepts, encoding] of sent) {
      const headers: Record<string, string> = accepts === null ? {} : { 'Accept-Encoding': accepts };
      const answer = await raw('/clients/export?format=csv', headers, world.worker.entry);
      expect([accepts, answer.headers['content-encoding']]).toEqual([accepts, encoding]);
      const text = (encoding === 'gzip' ? gunzipSync(answer.body) : answer.body).toString('utf8');
      expect(text.slice(0, 14)).toBe('id,externalId,');
    }
  });

  test('reads no more pages than the caller takes', async () => {
    const before = world.neon.counts().requests;
    const answer = await fetch(`${salon.api.url}/api/v1/clients/export`, {
      headers: { Authorization: `Bearer ${salon.api.token}`, 'Accept-Encoding': 'identity' },
    });
    const reader = answer.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(world.neon.counts().requests - before).toBeLessThanOrEqual(4);
  });
});

describe('csv', () => {
  test('is RFC 4180 with formulas made harmless', async () => {
    const { json } = await other.api.post('/clients', {
      firstName: '=SUM(A1)',
      lastName: 'a"b,c',
      notes: '@x\r\nline "two"',
      phone: '+4312345678',
      tags: ['one', 'two'],
      customFields: { a: 1 },
      externalId: '-1+1',
    });
    const reply = await other.api.get(
      '/clients/export?format=csv&fields=firstName,lastName,notes,phone,tags,customFields,externalId,email,version',
    );
    expect(reply.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(reply.headers.get('content-disposition')).toContain('clients.csv');
    expect(reply.text).toBe(
      `id,customFields,email,externalId,firstName,lastName,notes,phone,tags,version\r\n${json.id},"{""a"":1}",,'-1+1,'=SUM(A1),"a""b,c","'@x\r\nline ""two""",'+4312345678,one|two,1\r\n`,
    );
  });

  test('has a header even when nothing is found, with every field', async () => {
    const reply = await other.api.get('/clients/export?format=csv&tag=none');
    expect(reply.text).toMatch(/^id,externalId,firstName.*updatedAt\r\n$/);
  });
});

describe('refusals and walls', () => {
  test.each([
    ['format=xml', 'invalid_parameter'],
    ['format=csv&format=csv', 'invalid_parameter'],
    ['page=2', 'unknown_parameter'],
    ['sort=name', 'unknown_parameter'],
    ['include=stats', 'unknown_parameter'],
    ['what=1', 'unknown_parameter'],
    ['status=NONE', 'invalid_parameter'],
    ['fields=secret', 'invalid_parameter'],
  ])('%s', async (query, code) => {
    const reply = await salon.api.get(`/clients/export?${query}`);
    expect([reply.status, reply.json.code]).toEqual([400, code]);
  });

  test("holds nothing of another company's, and needs a caller", async () => {
    const reply = await other.api.get('/clients/export');
    expect(lines(reply.text).at(-1)).toEqual({ _end: true, count: 1 });
    expect((await salon.api.as(null).get('/clients/export')).status).toBe(401);
    const ahead = await salon.api.get('/clients/export', { headers: { 'Min-Revision': '999999' } });
    expect(ahead.json.code).toBe('revision_ahead');
  });

  test('needs the permission to export', async () => {
    const staff = await addUser(world, other, 'STAFF');
    const reply = await staff.get('/clients/export');
    expect([reply.status, reply.json.code]).toEqual([403, 'forbidden']);
    expect((await staff.get('/clients')).status).toBe(200);
  });

  test('branches have it too', async () => {
    await salon.api.post('/branches', {
      name: 'Mitte',
      timeZone: 'UTC',
      openingHours: [{ weekday: 1, start: '09:00', end: '10:00' }],
    });
    const reply = await salon.api.get('/branches/export?format=csv&fields=name,openingHours');
    expect(reply.text.split('\r\n')[1]).toMatch(/^brch_\w+,Mitte,"\[\{/);
  });
});
