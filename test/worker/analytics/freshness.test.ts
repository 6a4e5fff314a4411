import { expect, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// F2: figures may be a minute old, and say so, unless a caller says what they have seen. Here every read asks Redis.

const world = await ownWorld({ CACHE_MAX_STALENESS_MS: '0', EDGE_CACHE: 'off' });
const { api } = await openCompany(world);
const PATH = '/analytics/dashboard';
const NEVER = '/analytics/clients?from=2020-01-01&to=2020-02-01';

const newClient = () => api.post('/clients', { firstName: 'Anna' });
const monthOf = ({ json }: Reply): unknown => (json.newClients as { month: number }).month;
const outcomeOf = ({ headers }: Reply): string | null => headers.get('x-cache');

test('outdated figures are given at once and computed anew behind, for everybody; with Min-Revision they are exact', async () => {
  const first = await api.get(PATH);
  expect([outcomeOf(first), monthOf(first)]).toEqual(['MISS', 0]);
  const written = await newClient();
  // No figure waits for Postgres: it lets nothing through.
  world.neon.setBudget(0);
  const late = await api.get(PATH);
  world.neon.setBudget(null);
  expect([outcomeOf(late), late.text, late.revision]).toEqual(['STALE', first.text, first.revision]);
  expect(late.headers.get('cache-status')).toBe('ClientsPlus; hit; detail=memory-outdated');
  expect(late.headers.get('cache-control')).toBe('private, no-cache');
  const fresh = await until('fresh figures', async () => {
    const reply = await api.get(PATH);
    return outcomeOf(reply) === 'HIT' && reply;
  });
  expect(monthOf(fresh)).toBe(1);
  expect(fresh.revision).toBeGreaterThanOrEqual(written.revision);
  const again = await newClient();
  const exact = await api.get(PATH, { headers: { 'Min-Revision': String(again.revision) } });
  expect([outcomeOf(exact), monthOf(exact)]).toEqual(['MISS', 2]);
  // What was seen before the last write is not enough to be shown the past either.
  const last = await newClient();
  const seen = await api.get(PATH, { headers: { 'Min-Revision': String(first.revision) } });
  expect([outcomeOf(seen), monthOf(seen)]).toEqual(['MISS', 3]);
  expect(seen.revision).toBeGreaterThanOrEqual(last.revision);
});

test('another isolate takes what Redis has, at once, and no more than Redis', async () => {
  const before = await api.get(PATH, { headers: { 'Cache-Control': 'no-cache' } });
  expect(outcomeOf(before)).toBe('BYPASS');
  const other = api.at((await world.another({ CACHE_MAX_STALENESS_MS: '0', EDGE_CACHE: 'off' })).url);
  await until('the entry in Redis', async () => outcomeOf(await other.get(PATH)) === 'HIT');
  await newClient();
  const late = await other.get(PATH);
  expect([outcomeOf(late), late.text]).toEqual(['STALE', before.text]);
  await until('fresh figures', async () => monthOf(await other.get(PATH)) === 4);
});

test('an ETag is answered 304 as long as nothing has changed, and HEAD says what GET says', async () => {
  const get = await until('a hit', async () => {
    const reply = await api.get(NEVER);
    return outcomeOf(reply) === 'HIT' && reply;
  });
  const etag = String(get.headers.get('etag'));
  expect((await api.get(NEVER, { headers: { 'If-None-Match': etag } })).status).toBe(304);
  const head = await api.ask('HEAD', NEVER);
  expect([head.status, head.headers.get('etag'), head.revision, head.text]).toEqual([200, etag, get.revision, '']);
  // Nothing in it depends on clients themselves.
  await newClient();
  expect((await api.get(NEVER, { headers: { 'If-None-Match': etag } })).status).toBe(304);
  const { revision } = await api.post('/branches', { name: 'Another', timeZone: 'Europe/Vienna' });
  const next = await api.get(NEVER, { headers: { 'If-None-Match': etag, 'Min-Revision': String(revision) } });
  expect([next.status, next.text]).toEqual([200, get.text]);
});
