import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { wellAgain } from '../../support/outage.ts';
import { ownWorld } from '../../support/shared.ts';

const world = await ownWorld();

test('a replica is asked while Redis tells how far it lags, and not while Redis is away', async () => {
  const salon = await openCompany(world);
  // One that never answers: whoever asks it is told so.
  const nowhere = new URL(world.vars.DATABASE_URL ?? '');
  nowhere.port = '9';
  const { url } = await world.another({ DATABASE_REPLICA_URL: nowhere.href, REDIS_DEADLINE_MS: '250' });
  const read = async (path: string): Promise<number> =>
    (await salon.api.at(url).get(path, { headers: { 'Cache-Control': 'no-cache' } })).status;
  expect(await read('/clients?limit=3')).toBe(503);
  world.upstash.setFault('refuse');
  expect(await read('/clients?limit=4')).toBe(200);
  await wellAgain(world, salon.api);
});
