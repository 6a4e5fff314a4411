import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { isWrite, terminated } from '../../support/terminated.ts';

// A write whose outcome nobody knows is looked for in the log until no write can last so long. That is work of seconds, not of
// milliseconds: what was to be looked at besides must not ring again and again meanwhile.

const world = await ownWorld();

test('a room that looks for an unknown write asks Postgres and Redis a few times a second at most', async () => {
  const salon = await openCompany(world);
  let struck = false;
  world.neon.setHooks({
    onRequest(request) {
      if (struck || !isWrite(request)) return undefined;
      struck = true;
      return Promise.reject(terminated());
    },
  });
  expectProblem(await salon.api.post('/clients', { firstName: 'Ann' }), 'database_unavailable', ['outcome']);
  world.neon.setHooks({ onRequest: null });
  // An announcement, whose look is due six seconds later.
  expect((await salon.api.post('/clients', { firstName: 'Bea' })).status).toBe(201);
  await sleep(9000);
  const before = [world.neon.counts().requests, world.upstash.counts().requests];
  await sleep(5000);
  const after = [world.neon.counts().requests, world.upstash.counts().requests];
  const more = after.map((count, store) => count - (before[store] ?? 0));
  console.log(`in 5 s: ${more[0]} trips to Postgres, ${more[1]} to Redis`);
  for (const trips of more) expect(trips).toBeLessThan(40);
});
