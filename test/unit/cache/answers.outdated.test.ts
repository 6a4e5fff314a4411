import { expect, test } from 'vitest';
import { isolate, place, STALENESS } from './place.ts';

// Routes whose answers may be outdated by writes for a bounded time (F2: analytics).

const MAX_STALE = 60_000;

/** A company whose answer `one` this isolate has, outdated by a write that Redis knows of. */
async function outdated(writtenAfter = STALENESS + 1) {
  const there = place();
  there.begun();
  const reader = isolate(there, true, { maxStale: MAX_STALE });
  await reader();
  there.world.now += writtenAfter;
  there.write('two');
  return { ...there, reader };
}

test('an outdated answer is given at once, of its own revision, and computed anew behind it, once', async () => {
  const { world, reader } = await outdated();
  const loads = world.loads;
  const late = await reader();
  expect(late).toMatchObject({ outcome: 'STALE', text: 'one', revision: 1, tier: 'memory' });
  expect(world.loads).toBe(loads + 1);
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'two', revision: 2 });
  expect(await reader({ ifNoneMatch: late.etag })).toMatchObject({ status: 200, text: 'two' });
});

test('many who ask at once have it computed once', async () => {
  const { world, reader } = await outdated();
  const loads = world.loads;
  const all = await Promise.all(Array.from({ length: 20 }, () => reader()));
  expect(new Set(all.map(({ outcome }) => outcome))).toEqual(new Set(['STALE']));
  expect(world.loads).toBe(loads + 1);
});

test('who says what they have seen is answered exactly', async () => {
  for (const min of [1, 2]) {
    const { reader } = await outdated();
    expect(await reader({ min })).toMatchObject({ outcome: 'MISS', text: 'two' });
  }
});

test('who asks for nothing computed before gets nothing of it', async () => {
  const { reader } = await outdated();
  expect(await reader({ bypass: true })).toMatchObject({ outcome: 'BYPASS', text: 'two' });
});

test('after the bound an answer is computed, however it was found', async () => {
  for (const withEdge of [true, false]) {
    const there = place();
    there.begun();
    await isolate(there, withEdge, { maxStale: MAX_STALE })();
    there.write('two');
    there.world.now += MAX_STALE + 1;
    // A new isolate has it from the location or from Redis, whose copies are as old.
    expect(await isolate(there, withEdge, { maxStale: MAX_STALE })()).toMatchObject({ outcome: 'MISS', text: 'two' });
  }
});

test('whoever asks at random times is never answered from more than the bound before', async () => {
  const there = place();
  there.begun();
  const readers = [0, 1, 2].map(() => isolate(there, true, { maxStale: MAX_STALE }));
  const written = [{ at: there.world.now, revision: 1 }];
  let seed = 7;
  const random = (most: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  let late = 0;
  for (let n = 0; n < 1200; n += 1) {
    there.world.now += random(4) === 0 ? random(45_000) : random(1500);
    if (random(3) === 0) {
      there.write(String(n));
      written.push({ at: there.world.now, revision: there.world.revision });
      continue;
    }
    const answer = await (readers[random(3)] as (typeof readers)[number])();
    const next = written.find(({ revision }) => revision > answer.revision);
    if (next !== undefined) expect(there.world.now - next.at).toBeLessThanOrEqual(MAX_STALE);
    late += answer.outcome === 'STALE' ? 1 : 0;
  }
  expect(late).toBeGreaterThan(40);
});

test('what is slow to compute is as old as its beginning', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there, true, { maxStale: MAX_STALE });
  let open = (): void => undefined;
  there.world.gate = new Promise((resolve) => {
    open = resolve;
  });
  const first = reader();
  while (there.world.loads === 0) await Promise.resolve();
  there.world.now += 9000;
  there.write('two');
  open();
  await first;
  there.world.now += MAX_STALE - 8000;
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'two' });
});

test('what a gap, an erasure or the clock has ended is computed', async () => {
  const gap = await outdated();
  gap.tell(9, 9, {});
  expect(await gap.reader()).toMatchObject({ outcome: 'MISS' });
  const erasure = await outdated();
  erasure.world.state = null;
  erasure.begun();
  expect(await erasure.reader()).toMatchObject({ outcome: 'MISS' });
  const clock = place();
  clock.begun();
  clock.world.validUntil = clock.world.now + 5000;
  const reader = isolate(clock, true, { maxStale: MAX_STALE });
  await reader();
  clock.world.now += 5000;
  clock.write('two');
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'two' });
});

test('other routes give nothing that writes have outdated', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  there.world.now += STALENESS + 1;
  there.write('two');
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'two' });
});
