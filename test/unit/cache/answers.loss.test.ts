import { expect, test } from 'vitest';
import { isolate, place } from './place.ts';

// Redis forgets a company: what was read of its tag state before says nothing by the one that comes after.

/** Revisions 2 and 3 are committed, 3 is announced, Redis loses the state, and 2 arrives late: head 2, though 3 was announced. */
function lose(there: ReturnType<typeof place>): void {
  there.write('three');
  there.world.state = null;
  there.announceWrite(2);
  expect(there.world.state).toMatchObject({ head: 2, floor: 1, tags: { things: 2 } });
}

/** A company at revision 1 whose write of revision 2 is committed and not announced yet. */
function begunAtTwo() {
  const there = place();
  there.begun();
  there.write('two', false);
  return there;
}

test('without a state nothing is kept for others; the next fill is', async () => {
  const there = place();
  const first = isolate(there);
  expect(await first()).toMatchObject({ outcome: 'MISS', text: 'one' });
  expect(there.world.entries.size).toBe(0);
  expect(there.edge.size).toBe(0);
  // The first fill started the state; only what is computed after a reading of it counts.
  expect(await first()).toMatchObject({ outcome: 'MISS', redis: 1 });
  expect(await first()).toMatchObject({ outcome: 'HIT', tier: 'memory', redis: 0 });
  expect(await isolate(there, false)()).toMatchObject({ outcome: 'HIT', tier: 'redis' });
});

test.each([
  ['Redis', false],
  ['the location', true],
])('an entry of %s is not served by a state that began again below it', async (_, withEdge) => {
  const there = begunAtTwo();
  expect(await isolate(there, withEdge)()).toMatchObject({ text: 'two' });
  lose(there);
  there.world.now += 2001;
  const reader = isolate(there, withEdge);
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'three', revision: 3 });
  // The state is from before what this isolate has seen, until the room has announced that.
  expect(await reader()).toMatchObject({ outcome: 'MISS', text: 'three', revision: 3 });
  expect(there.world.asked).toContain('suspect 3');
  there.announceWrite(3);
  expect(await reader()).toMatchObject({ text: 'three', revision: 3 });
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'three', revision: 3 });
});

test('an isolate that remembers the lost state forgets it with the next reading', async () => {
  const there = begunAtTwo();
  const reader = isolate(there);
  await reader();
  lose(there);
  there.world.now += 2001;
  expect(await reader()).toMatchObject({ text: 'three' });
});

test('an ETag of before the loss brings no 304 from a state that began again below it', async () => {
  const there = begunAtTwo();
  const { etag } = await isolate(there, false)();
  lose(there);
  expect(await isolate(there, false)({ ifNoneMatch: etag })).toMatchObject({ status: 200, text: 'three' });
});

/** Starts a read whose computation has taken its snapshot and waits; `open` lets it end. */
async function underWay(reader: ReturnType<typeof isolate>, there: ReturnType<typeof place>) {
  let open = (): void => undefined;
  there.world.gate = new Promise((resolve) => {
    open = resolve;
  });
  const { loads } = there.world;
  const answer = reader();
  await expect.poll(() => there.world.loads, { interval: 1 }).toBe(loads + 1);
  return { answer, open };
}

/** Until whoever has just asked waits for the computation under way: nothing that can be seen from outside. */
const joining = () => new Promise((resolve) => setTimeout(resolve, 5));

test('who joins a computation takes its reading too, not an own one made after the snapshot', async () => {
  const there = begunAtTwo();
  const reader = isolate(there, false);
  const { answer, open } = await underWay(reader, there);
  lose(there);
  const joined = reader();
  await joining();
  open();
  expect(await answer).toMatchObject({ text: 'two' });
  expect(await joined).toMatchObject({ text: 'two' });
  expect(there.world.loads).toBe(1);
  expect(await reader()).toMatchObject({ text: 'three' });
  expect(await isolate(there, false)({ ifNoneMatch: (await joined).etag })).toMatchObject({ text: 'three' });
});

test('who joins a computation gets its ETag, not that of a change it does not hold', async () => {
  const there = begunAtTwo();
  const reader = isolate(there, false);
  const { answer, open } = await underWay(reader, there);
  there.announceWrite(2);
  const joined = reader();
  await joining();
  open();
  expect((await joined).text).toBe('two');
  expect((await joined).etag).toBe((await answer).etag);
  expect(there.world.loads).toBe(1);
});

test('who joins a computation from before what this isolate has read meanwhile computes anew', async () => {
  const there = begunAtTwo();
  const reader = isolate(there, false);
  const { answer, open } = await underWay(reader, there);
  there.announceWrite(2);
  there.write('three');
  const joined = reader();
  await joining();
  open();
  expect((await answer).text).toBe('two');
  expect((await joined).text).toBe('three');
  expect((await joined).etag).not.toBe((await answer).etag);
});

test('without Redis a remembered reading still comes before the snapshot', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  await reader();
  there.write('two', false);
  there.world.redisUp = false;
  expect(await reader({ min: 2 })).toMatchObject({ outcome: 'MISS', text: 'two' });
  there.world.redisUp = true;
  there.announceWrite(2);
  const neighbour = isolate(there);
  await neighbour({ key: 'other' });
  expect(await neighbour()).toMatchObject({ outcome: 'HIT', tier: 'edge', text: 'two' });
});

test('rows of a newer epoch than the state are not kept for others under it', async () => {
  const there = place();
  there.begun();
  there.world.epoch = '0190-b';
  const reader = isolate(there, false);
  expect(await reader()).toMatchObject({ outcome: 'MISS', etag: 'W/"0190-b.-.1.r"' });
  expect(there.world.entries.size).toBe(0);
  expect(await reader()).toMatchObject({ outcome: 'MISS' });
  expect(await reader()).toMatchObject({ outcome: 'HIT' });
});
