import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { listen } from '../../support/listener.ts';
import { ownWorld } from '../../support/shared.ts';

// R4: the announcement follows the commit and precedes the answer.

const world = await ownWorld();
const salon = await openCompany(world);

test('when a write is answered, every other isolate that asks Redis sees it', async () => {
  const other = await world.another({ CACHE_MAX_STALENESS_MS: '0' });
  const elsewhere = salon.api.at(other.url);
  await elsewhere.get('/clients');
  world.upstash.setDelay(60);
  for (let i = 0; i < 5; i += 1) {
    const created = await salon.api.post('/clients', { firstName: `n${i}` });
    const list = await elsewhere.get('/clients');
    expect((list.json.data as { id: string }[])[0]?.id, list.headers.get('x-cache') ?? '').toBe(created.json.id);
    expect(list.revision).toBeGreaterThanOrEqual(created.revision);
  }
  world.upstash.setDelay(0);
});

test('nothing is announced before it is committed', async () => {
  const before = await salon.api.get('/clients');
  const announced: number[] = [];
  world.neon.setHooks({
    onRequest: () => {
      announced.push(world.upstash.counts().commands);
    },
    afterCommit: () => {
      announced.push(world.upstash.counts().commands);
    },
  });
  const created = await salon.api.post('/clients', { firstName: 'late' });
  world.neon.setHooks({ onRequest: null, afterCommit: null });
  const after = world.upstash.counts().commands;
  expect(created.revision).toBe(before.revision + 1);
  // Between the start and the commit of the transaction Redis heard nothing; afterwards it did.
  expect(announced[0]).toBe(announced[1]);
  expect(after).toBeGreaterThan(announced[1] ?? 0);
});

test('who listens is told beside Redis, and waits for neither it nor the answer', async () => {
  const patient = await world.another({ REDIS_DEADLINE_MS: '5000' });
  const api = salon.api.at(patient.url);
  const listener = await listen(api);
  await listener.subscribe();
  world.neon.setHooks({ afterCommit: () => world.upstash.setBudget(0) });
  let isAnswered = false;
  const writing = api.post('/clients', { firstName: 'heard' }).finally(() => {
    isAnswered = true;
  });
  await listener.next('batch_update');
  expect(isAnswered).toBe(false);
  world.neon.setHooks({ afterCommit: null });
  world.upstash.setBudget(null);
  const { status, revision } = await writing;
  expect([status, listener.messages().map((message) => message.revision)]).toEqual([201, [revision]]);
  await api.post('/clients', { firstName: 'after it' });
  // Told again with the announcement, it is sent once.
  await listener.next('batch_update', 1);
  expect(listener.messages().map((message) => message.revision)).toEqual([revision, revision + 1]);
  await listener.close();
});
