import { describe, expect, onTestFinished, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Reply, Tenant } from '../../support/api.ts';
import { newCompany, openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { uuidOf } from '../../support/people.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// What reads of one company leave to its writes and to other companies: in counts of places.

const world = await sharedWorld();
const stormy = await openCompany(world);
const calm = await openCompany(world);

const fresh = { headers: { 'Cache-Control': 'no-cache' } };
const create = ({ api }: Tenant): Promise<Reply> => api.post('/clients', { firstName: `n${unique()}` });

/** The outcomes of answers, counted. */
function tally(replies: readonly Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test('reads of one company leave places for its own writes and for other companies', async () => {
  const held = Promise.withResolvers<void>();
  const id = uuidOf('comp', stormy.companyId);
  let reads = 0;
  world.neon.setHooks({
    onRequest({ readOnly, statements }) {
      if (!readOnly || statements[0]?.params[0] !== id) return undefined;
      reads += 1;
      return held.promise;
    },
  });
  const storm = Array.from({ length: 60 }, (_, i) => stormy.api.get(`/clients?limit=${(i % 90) + 1}`, fresh));
  await until('it has its places', () => reads === 6);
  const others = [create(stormy), create(calm), calm.api.get('/clients', fresh)];
  expect(tally(await Promise.all(others))).toEqual({ 200: 1, 201: 2 });
  expect(reads).toBe(6);
  world.neon.setHooks({ onRequest: null });
  held.resolve();
  expect(tally(await Promise.all(storm))).toEqual({ 200: 60 });
});

test('two searches of one company are under way at once; its other reads are not behind them', async () => {
  const held = Promise.withResolvers<void>();
  let searches = 0;
  world.neon.setHooks({
    onRequest({ statements }) {
      if (!statements.some(({ query }) => query.includes('search_clients('))) return undefined;
      searches += 1;
      return held.promise;
    },
  });
  const storm = Array.from({ length: 24 }, (_, i) => stormy.api.get(`/clients?search=jon${i}`, fresh));
  await until('it has its places', () => searches === 2);
  const others = [stormy, stormy, calm].map(({ api }) => api.get('/clients', fresh));
  expect(tally(await Promise.all([create(stormy), ...others]))).toEqual({ 200: 3, 201: 1 });
  expect(searches).toBe(2);
  held.resolve();
  expect(tally(await Promise.all(storm))).toEqual({ 200: 24 });
  world.neon.setHooks({ onRequest: null });
});

describe('of many who ask for what is costly while nobody knows them', async () => {
  // Where Redis cannot vouch for them either.
  const without = await world.another({ UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9' });

  test.each([
    ['session', 'session_role(', async ({ api }: Tenant) => api],
    ['key', 'living_key(', async ({ api }: Tenant) => (await addKey(api, ['clients:read'])).api],
  ])('one has it computed with the question, and nobody waits for that one: a %s', async (_, question, caller) => {
    const api = (await caller(await newCompany(world))).at(without.url);
    const held = Promise.withResolvers<void>();
    onTestFinished(() => {
      world.neon.setHooks({ onRequest: null });
      held.resolve();
    });
    let together = 0;
    world.neon.setHooks({
      onRequest({ statements }) {
        const isAsked = (part: string): boolean => statements.some(({ query }) => query.includes(part));
        if (!isAsked(question) || !(isAsked('search_clients(') || isAsked('row_number() over way'))) return undefined;
        together += 1;
        return held.promise;
      },
    });
    const get = (i: number): Promise<Reply> =>
      api.get(i % 2 === 0 ? `/clients?limit=${i + 40}` : `/clients?search=jon${i}`);
    const first = get(0);
    await until('it is being computed', () => together === 1);
    const others = await Promise.all(Array.from({ length: 23 }, (_, i) => get(i + 1)));
    expect(tally(others)).toEqual({ 200: 23 });
    expect(together).toBe(1);
    held.resolve();
    expect((await first).status).toBe(200);
  });

  test('all are told that their session has ended, and hardly anything is computed for them', async () => {
    const { api } = await newCompany(world);
    expect((await api.post('/auth/logout')).status).toBeLessThan(300);
    onTestFinished(() => world.neon.setHooks({ onRequest: null }));
    let lists = 0;
    world.neon.setHooks({
      onRequest({ statements }) {
        if (statements.some(({ query }) => query.includes('row_number() over way'))) lists += 1;
      },
    });
    const there = api.at(without.url);
    const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => there.get(`/clients?limit=${i + 40}`)));
    expect(replies.map(({ status, json }) => `${status} ${json.code}`)).toEqual(Array(12).fill('401 session_revoked'));
    expect(lists).toBe(1);
  });
});
