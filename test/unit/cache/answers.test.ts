import { expect, test } from 'vitest';
import type { ReadDemand } from '../../../src/data/answer.ts';
import { isolate, place, STALENESS } from './place.ts';

test('miss, then memory without Redis, then other isolates from the location and from Redis', async () => {
  const there = place();
  const [first, second, far] = [isolate(there), isolate(there), isolate(there, false)];
  there.begun();
  expect(await first()).toMatchObject({ outcome: 'MISS', text: 'one', revision: 1, redis: 1 });
  // The reading of the miss is good for two seconds.
  expect(await first()).toMatchObject({ outcome: 'HIT', tier: 'memory', redis: 0 });
  // Another isolate of the location knows the tags from another question.
  expect(await second({ key: 'other' })).toMatchObject({ outcome: 'MISS' });
  expect(await second()).toMatchObject({ outcome: 'HIT', tier: 'edge', redis: 0 });
  expect(await far()).toMatchObject({ outcome: 'HIT', tier: 'redis', redis: 1 });
  expect(there.world.loads).toBe(2);
});

test('nobody serves a change later than the bound, however often it is asked', async () => {
  const there = place();
  there.begun();
  const first = isolate(there);
  await first();
  await first();
  there.write('two');
  const written = there.world.now;
  for (let i = 0; i < 12; i += 1) {
    there.world.now += 400;
    const { text } = await first();
    if (there.world.now - written > STALENESS)
      expect(text, `${there.world.now - written} ms after the write`).toBe('two');
  }
});

test('a reading in use is renewed behind an answer, so that nobody waits for Redis at its end', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  for (let i = 0; i < 10; i += 1) {
    there.world.now += STALENESS / 4;
    expect(await reader()).toMatchObject({ outcome: 'HIT', tier: 'memory', redis: 0 });
  }
  there.world.now += STALENESS + 1;
  expect(await reader()).toMatchObject({ outcome: 'HIT', redis: 1 });
});

test('Min-Revision overrides what is remembered', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  await reader();
  there.write('two');
  expect(await reader()).toMatchObject({ text: 'one', outcome: 'HIT' });
  expect(await reader({ min: 2 })).toMatchObject({ text: 'two', revision: 2 });
});

test('Min-Revision sees what was committed and not announced', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  await reader();
  there.write('two', false);
  expect(await reader({ min: 2 })).toMatchObject({ text: 'two', outcome: 'MISS' });
});

test('a revision the company has not reached is refused after one look at the database', async () => {
  const there = place();
  there.begun();
  await expect(isolate(there)({ min: 9 })).rejects.toMatchObject({ code: 'revision_ahead' });
  expect(there.world.loads).toBeLessThanOrEqual(2);
});

test('a 304 needs no body and no database, and ends with the next change', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  const { etag } = await reader();
  const loads = there.world.loads;
  expect(await isolate(there, false)({ ifNoneMatch: etag })).toMatchObject({ status: 304, text: null, etag });
  expect(there.world.loads).toBe(loads);
  there.write('two');
  expect(await isolate(there, false)({ ifNoneMatch: etag })).toMatchObject({ status: 200, text: 'two' });
});

test('an ETag never stands for two bodies, even for rows that are not announced yet', async () => {
  const there = place();
  there.begun();
  const seen = new Map<string, string>();
  const look = async (demand: Partial<ReadDemand> = {}): Promise<void> => {
    const { etag, text } = await isolate(there, false)(demand);
    expect(seen.get(etag) ?? text).toBe(text);
    seen.set(etag, String(text));
  };
  await look();
  await look();
  there.write('two', false);
  await look({ bypass: true });
  await look();
  there.write('three');
  await look();
  await look();
});

test('a computed answer and a kept one have the same ETag, so that a change elsewhere costs no body', async () => {
  const there = place();
  there.begun();
  there.world.revision = 2;
  there.tell(2, 2, { others: 2 });
  const computed = await isolate(there, false)();
  const kept = await isolate(there, false)();
  expect([computed.outcome, kept.outcome]).toEqual(['MISS', 'HIT']);
  expect(computed.etag).toBe(kept.etag);
  expect(await isolate(there, false)({ ifNoneMatch: computed.etag })).toMatchObject({ status: 304 });
});

test('without Redis answers are computed, never taken unjudged', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there, false);
  await reader();
  await reader();
  there.world.redisUp = false;
  there.write('two', false);
  there.world.now += STALENESS + 1;
  expect(await reader()).toMatchObject({ text: 'two', outcome: 'MISS' });
});

test('without the database the last answer is served, marked, unless a newer one is known to exist', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there, false);
  await reader();
  await reader();
  there.write('two');
  there.world.now += STALENESS + 1;
  there.world.databaseUp = false;
  expect(await reader()).toMatchObject({ text: 'one', outcome: 'STALE' });
  await expect(reader({ min: 2 })).rejects.toMatchObject({ code: 'database_unavailable' });
});
