import { beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { addFatClients } from '../../support/fat.ts';
import { imported } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Rows of 100 kB: whatever reads many of them reads them in pieces, and nobody sees the seams.

const FAT = 40;
/** What an answer of Postgres may have. */
const MOST_ANSWER = 8 * 1024 * 1024;

const world = await sharedWorld();
const salon = await openCompany(world);
await addFatClients(world, salon.companyId, FAT);
beforeEach(() => {
  world.neon.forgetLargest();
  return () => expect(world.neon.counts().largestAnswer).toBeLessThan(MOST_ANSWER);
});

const fresh = { headers: { 'Cache-Control': 'no-cache' } };
const rows = (text: string): Json[] => (JSON.parse(text) as { data: Json[] }).data;

async function each(): Promise<Json[]> {
  const { json } = await salon.api.get('/clients?limit=100&sort=createdAt&fields=id', fresh);
  return Promise.all((json.data as Json[]).map(async ({ id }) => (await salon.api.get(`/clients/${id}`, fresh)).json));
}

test('a page of large rows has all of them, as each is alone, whatever the sort, search and cursor', async () => {
  const alone = await each();
  expect(alone).toHaveLength(FAT);
  const before = world.neon.counts().requests;
  const page = await salon.api.get('/clients?limit=100&sort=createdAt', fresh);
  expect(page.status, page.text.slice(0, 500)).toBe(200);
  expect(page.json.data).toEqual(alone);
  // A piece of one megabyte, and the other three in two.
  expect(world.neon.counts().requests - before).toBeLessThanOrEqual(4);
  const found = await salon.api.get('/clients?limit=100&search=fat');
  expect(new Set(rows(found.text).map(({ id }) => id))).toEqual(new Set(alone.map(({ id }) => id)));
  const walked: Json[] = [];
  for (let cursor: unknown = null, pages = 0; pages < 4; pages += 1) {
    const { json } = await salon.api.get(
      `/clients?limit=15&sort=createdAt${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    walked.push(...(json.data as Json[]));
    const { nextCursor } = json.pagination as Json;
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  expect(walked).toEqual(alone);
});

test('HEAD shows nothing of a page of large rows, and takes no place', async () => {
  const path = '/clients?limit=100&sort=createdAt';
  const { status, text, headers } = await salon.api.ask('HEAD', path, fresh);
  expect([status, text, headers.get('ETag')]).toEqual([200, '', (await salon.api.get(path)).headers.get('ETag')]);
});

test('rows that change between two pieces are as they were at the first: the page is of one revision', async () => {
  const alone = await each();
  let reads = 0;
  const [last, deletedId] = [alone.at(-1), alone.at(-2)?.externalId];
  world.neon.setHooks({
    async onRequest({ statements }) {
      if (!statements.some(({ query }) => query.includes('clients'))) return;
      reads += 1;
      if (reads !== 2) return;
      await world.sql(`update clients set first_name = 'Once' where external_id = $1`, [last?.externalId], 'cp_owner');
      await world.sql(`update clients set first_name = 'Twice' where external_id = $1`, [last?.externalId], 'cp_owner');
      await world.sql('delete from clients where external_id = $1', [deletedId], 'cp_owner');
    },
  });
  try {
    const page = await salon.api.get('/clients?limit=100&sort=createdAt', fresh);
    expect(reads).toBeGreaterThan(1);
    expect(page.json.data).toEqual(alone);
    const head = Number((await salon.api.get('/events?after=999999')).json.head);
    expect(page.revision).toBe(head - 3);
    const next = await salon.api.get('/clients?limit=100&sort=createdAt', {
      headers: { 'Min-Revision': String(head) },
    });
    expect(rows(next.text).map(({ firstName }) => firstName)).toEqual([
      ...alone.slice(0, -2).map(({ firstName }) => firstName),
      'Twice',
    ]);
  } finally {
    world.neon.setHooks({ onRequest: null });
  }
});

test('a page beyond all bounds says how many rows fit', async () => {
  const huge = await openCompany(world);
  await addFatClients(world, huge.companyId, 40, '', true);
  const refused = await huge.api.get('/clients?limit=100');
  expect([refused.status, refused.json.code]).toEqual([400, 'invalid_parameter']);
  const most = Number(/at most (\d+)/.exec(String(refused.json.detail))?.[1]);
  expect(most).toBeGreaterThan(20);
  const page = await huge.api.get(`/clients?limit=${most}`);
  expect([page.status, rows(page.text).length]).toEqual([200, most]);
});

test.each(['ndjson', 'csv'])('an export (%s) has every row once, in pieces', async (format) => {
  const alone = await each();
  const before = world.neon.counts().requests;
  const { text } = await salon.api.get(`/clients/export?format=${format}`);
  expect(world.neon.counts().requests - before).toBeGreaterThan(3);
  if (format === 'csv') return expect(text.split('\r\n').filter((line) => line !== '')).toHaveLength(alone.length + 1);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
  expect(lines.pop()).toEqual({ _end: true, count: alone.length });
  expect(lines).toEqual([...alone].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1)));
});

test.each(['/events', '/audit'])('%s comes in pieces, and a walk until nothing comes has all of it', async (path) => {
  const { head } = (await salon.api.get('/events?after=999999')).json;
  const walked: number[] = [];
  for (let after = 0; ; after = walked.at(-1) ?? 0) {
    const page = await salon.api.get(`${path}?after=${after}&limit=500`);
    expect(page.text.length).toBeLessThan(2 * 1024 * 1024);
    const revisions = rows(page.text).map(({ revision }) => Number(revision));
    if (revisions.length === 0) break;
    walked.push(...revisions);
  }
  expect(walked).toEqual(Array.from({ length: Number(head) }, (_, at) => at + 1));
});

test('an import into large rows is announced, though no answer holds all that it changed', async () => {
  const { json } = await salon.api.get('/clients?limit=100&sort=-createdAt&fields=externalId', fresh);
  const [last] = json.data as Json[];
  await salon.api.get(`/clients/${last?.id}`);
  const lines = (json.data as Json[]).map(({ externalId }) => `${externalId},imported`);
  const job = await imported(salon.api, `externalId,notes\r\n${lines.join('\r\n')}\r\n`);
  expect(job).toMatchObject({ status: 'COMPLETED', updated: lines.length });
  await until(
    'the last of them to be seen',
    async () => (await salon.api.get(`/clients/${last?.id}`)).json.notes === 'imported',
  );
});

describe('answers that nobody reads are few of a company, and one that ends makes room', async () => {
  const idle = await openCompany(world);
  // More than the buffers of a connection hold, and not made small on the way: otherwise it is sent without a reader.
  await addFatClients(world, idle.companyId, 200);

  test('pages that there is no room for are not put together', async () => {
    const { companyId, api } = await openCompany(world);
    await addFatClients(world, companyId, 100);
    let pieces = 0;
    world.neon.setHooks({
      onRequest({ statements }) {
        if (statements.some(({ query }) => query.includes('with ordinality as wanted'))) pieces += 1;
      },
    });
    const headers = {
      Authorization: `Bearer ${api.token}`,
      'Accept-Encoding': 'identity',
      'Cache-Control': 'no-cache',
    };
    const ends = new AbortController();
    const ask = () => fetch(`${api.url}/api/v1/clients?limit=100`, { headers, signal: ends.signal });
    const answers = await Promise.all(Array.from({ length: 24 }, ask));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(23);
    // Ten megabytes, two a read: of each page that was refused at its end these had been read, too.
    expect(pieces).toBeLessThanOrEqual(6);
    world.neon.setHooks({ onRequest: null });
    ends.abort();
  });

  test.each([
    ['exports', '/clients/export', 8],
    ['pages', '/clients?limit=83', 2],
  ])('%s', async (_, path, most) => {
    const headers = { Authorization: `Bearer ${idle.api.token}`, 'Accept-Encoding': 'identity' };
    const ask = (signal: AbortSignal): Promise<Response> => fetch(`${idle.api.url}/api/v1${path}`, { headers, signal });
    const unread = Array.from({ length: most }, () => new AbortController());
    // Held: a response that nobody can reach is let go of, and what sends it ends.
    const held: Response[] = [];
    for (const { signal } of unread) held.push(await ask(signal));
    expect(held.map(({ status }) => status)).toEqual(unread.map(() => 200));
    const more = await idle.api.get(path);
    expect([more.status, more.json.code]).toEqual([503, 'busy']);
    // Another company's are not behind them, and neither is what is small.
    expect((await salon.api.get(path)).status).toBe(200);
    expect((await idle.api.get('/clients?limit=100&fields=id')).status).toBe(200);
    // Nor what was written, though there is hardly room left: it is there, and is said to be.
    const { json } = await idle.api.post('/branches', { name: 'Here', timeZone: 'Europe/Vienna' });
    const taxes = Array.from({ length: 10 }, (_, n) => ({ name: `Tax number ${n}`, rateBasisPoints: 100 + n }));
    const line = { description: 'Cut', unitPrice: { amount: 100, currency: 'EUR' }, taxes };
    const written = await idle.api.post('/invoices', { branchId: json.id, lines: Array(200).fill(line) });
    expect([written.status, written.text.length > 2 ** 17]).toEqual([201, true]);
    unread[0]?.abort();
    await until('there is room', async () => (await idle.api.get(path)).status === 200);
    for (const each of unread) each.abort();
    expect(held.every(({ bodyUsed }) => !bodyUsed)).toBe(true);
  });
});
