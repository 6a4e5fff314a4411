import { expect, test } from 'vitest';
import type { Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
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
