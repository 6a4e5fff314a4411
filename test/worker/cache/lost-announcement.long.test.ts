import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';
import { openWorld, type World } from '../../support/world.ts';

// A write that is stored and not announced, then Postgres away and Redis back: nobody can read the log, and what Redis says
// is from before.

let world: World;
let worker: RunningWorker;
beforeAll(async () => {
  world = await openWorld({ REDIS_DEADLINE_MS: '250' });
  worker = await startWorker({ bundle: inject('bundle'), vars: world.vars, isolates: 2 });
});
afterAll(async () => {
  await worker.stop();
  await world.close();
});

/** F3: how long what was lost may stay unseen, ms. */
const BOUND = 10_000;

test('the old answer ends within ten seconds all the same, and the new one comes with Postgres', async () => {
  const [here, there] = worker.urls as [string, string];
  const { api } = await openCompany({ ...world, api: world.api.at(here) });
  const made = await api.post('/clients', { firstName: 'Old' });
  const path = `/clients/${made.json.id}`;
  const read = (): Promise<Reply> => api.at(there).get(path);
  await until('a warm isolate', async () => (await read()).headers.get('x-cache') === 'HIT');
  world.neon.setHooks({
    afterCommit({ statements }) {
      if (statements.some(({ query }) => query.includes('begin_write('))) world.upstash.setFault('refuse');
    },
  });
  const written = await api.patch(path, { firstName: 'New' });
  expect(written.status, written.text).toBe(200);
  world.neon.setHooks({ afterCommit: null });
  world.neon.setFault('refuse');
  const since = Date.now();
  // Long enough for the room to have tried and failed, as an outage is.
  await until('an outage of Redis', () => Date.now() - since > 1500);
  world.upstash.setFault(null);
  const old = (reply: Reply): boolean => reply.status === 200 && reply.json.firstName === 'Old';
  await until('the old answer to end', async () => !old(await read()), 2 * BOUND);
  // Nor does it come back once Redis is trusted again.
  await until(
    'the bound to be over',
    async () => {
      expect(Date.now() - since < BOUND || !old(await read())).toBe(true);
      return Date.now() - since > 2 * BOUND;
    },
    3 * BOUND,
  );
  world.neon.setFault(null);
  await until('the new answer', async () => (await read()).json.firstName === 'New');
});
