import { expect, test } from 'vitest';
import { LEASE } from '../../../src/data/pulse.ts';
import { isolate, place } from './place.ts';

// Redis went back, or may have: whom an isolate still believes.

/** A company at `two`, cached, and what Redis held one write before. */
async function setBack() {
  const there = place();
  there.begun();
  await isolate(there, false)();
  const before = { state: there.world.state, entries: new Map(there.world.entries) };
  there.write('two');
  return {
    ...there,
    before,
    goBack: () => {
      there.world.state = before.state;
      there.world.entries = new Map(before.entries);
    },
  };
}

test('an isolate that has seen newer does not believe a Redis that was set back, and tells the room', async () => {
  const there = await setBack();
  const reader = isolate(there, false);
  expect(await reader()).toMatchObject({ text: 'two' });
  there.goBack();
  there.world.now += 2001;
  for (let n = 0; n < 3; n += 1) expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'two' });
  expect(there.world.asked.filter((asked) => asked !== 'wake')).toEqual(['suspect 2']);
  there.goBack();
  // Another that has not is shown the old state: this is what the watch and the room are for.
  expect(await isolate(there, false)()).toMatchObject({ outcome: 'HIT', text: 'one' });
  there.announceWrite(2);
  expect(await reader()).toMatchObject({ text: 'two' });
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'two' });
});

test('a fill that sees newer than Redis tells the room, too', async () => {
  const there = await setBack();
  there.goBack();
  expect(await isolate(there, false)({ key: 'other' })).toMatchObject({ outcome: 'MISS', text: 'two' });
  expect(there.world.asked).toContain('suspect 2');
});

test('without a young beat a reading is confirmed by Postgres, once for two seconds', async () => {
  const there = await setBack();
  await isolate(there, false)();
  there.world.beat = there.world.now - LEASE;
  const reader = isolate(there, false);
  expect(await reader()).toMatchObject({ outcome: 'HIT', tier: 'redis', text: 'two' });
  expect(await reader()).toMatchObject({ outcome: 'HIT', tier: 'memory', redis: 0 });
  expect(there.world.heads).toBe(1);
});

test('without a young beat a Redis that was set back is not believed by anybody', async () => {
  const there = await setBack();
  there.goBack();
  there.world.beat = there.world.now - LEASE;
  const loads = there.world.loads;
  expect(await isolate(there, false)()).toMatchObject({ outcome: 'MISS', text: 'two' });
  expect([there.world.heads, there.world.loads]).toEqual([1, loads + 1]);
  expect(there.world.asked.slice(-2)).toEqual(['wake', 'suspect 2']);
});

test('without a young beat and without Postgres nobody can know, and nothing is answered', async () => {
  const there = await setBack();
  await isolate(there, false)();
  there.world.beat = there.world.now - LEASE;
  there.world.databaseUp = false;
  await expect(isolate(there, false)()).rejects.toMatchObject({ code: 'database_unavailable' });
  there.world.beat = null;
  expect(await isolate(there, false)()).toMatchObject({ outcome: 'HIT', text: 'two' });
});

test('a renewed era ends every entry, and a missing one keeps new ones to their isolate', async () => {
  const there = await setBack();
  await isolate(there, false)();
  there.world.era = 'era-2';
  const reader = isolate(there, false);
  const loads = there.world.loads;
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'two' });
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'two' });
  expect(there.world.loads).toBe(loads + 1);
  there.world.era = null;
  there.world.entries.clear();
  expect(await isolate(there, false)()).toMatchObject({ outcome: 'MISS' });
  expect([there.world.entries.size, there.world.asked.at(-1)]).toEqual([0, 'wake']);
});

test('an ETag of before a renewed era brings no 304', async () => {
  const there = await setBack();
  const { etag } = await isolate(there, false)();
  expect(await isolate(there, false)({ ifNoneMatch: etag })).toMatchObject({ status: 304 });
  there.world.era = 'other-era';
  expect(await isolate(there, false)({ ifNoneMatch: etag })).toMatchObject({ status: 200 });
});
