import { expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { MemoryTier } from '../../../src/data/memory.ts';
import { isolate, place, STALENESS } from './place.ts';

// While Postgres is away an outdated answer is better than none; an answer about somebody who was erased is not.

/** An isolate that has an answer, of a company whose next change is committed and told as `tell` says; then Postgres is cut. */
async function cutAfter(change: (there: ReturnType<typeof place>) => void, withEdge = false) {
  const there = place();
  there.begun();
  const reader = isolate(there, withEdge);
  await reader();
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'one' });
  there.world.revision = 2;
  there.world.value = 'two';
  change(there);
  there.world.databaseUp = false;
  return { there, reader };
}
const refused = { code: 'database_unavailable' };

test.each([
  ['of this isolate', false],
  ['of its location', true],
])('what was erased is not answered, not even as stale, from a tier %s', async (_, withEdge) => {
  const { there, reader } = await cutAfter(({ tell }) => tell(2, 2, { things: 2, erased: 2 }), withEdge);
  there.world.now += STALENESS + 1;
  await expect(reader()).rejects.toMatchObject(refused);
  await expect(isolate(there, withEdge)()).rejects.toMatchObject(refused);
});

test('an erasure of before the answer does not take it', async () => {
  const there = place();
  there.tell(1, 1, { things: 1, erased: 1 });
  const reader = isolate(there, false);
  await reader();
  there.write('two');
  there.world.databaseUp = false;
  there.world.now += STALENESS + 1;
  expect(await reader()).toMatchObject({ outcome: 'STALE', text: 'one' });
});

test('without Redis too, what is known ends with the last reading', async () => {
  const { there, reader } = await cutAfter(({ tell }) => tell(2, 2, { things: 2, erased: 2 }));
  there.world.redisUp = false;
  // Within the staleness that every reader has.
  there.world.now += STALENESS - 1;
  expect(await reader()).toMatchObject({ outcome: 'HIT', text: 'one' });
  there.world.now += 2;
  await expect(reader()).rejects.toMatchObject(refused);
});

test.each<[string, (there: ReturnType<typeof place>) => void]>([
  [
    'a state that was lost',
    ({ world }) => {
      world.state = null;
    },
  ],
  [
    'another life of the state',
    ({ world, tell }) => {
      world.state = null;
      tell(2, 2, { things: 2 });
    },
  ],
  ['a gap, in which somebody may have been erased', ({ tell }) => tell(3, 2, {})],
])('%s: nobody knows, so there is no stale answer', async (_, change) => {
  const { there, reader } = await cutAfter(change);
  there.world.now += STALENESS + 1;
  await expect(reader()).rejects.toMatchObject(refused);
});

test('an isolate that meets an entry of an ended life drops all of that life, at its location too', async () => {
  const there = place();
  there.begun();
  const reader = isolate(there);
  for (const key of ['v1:unit:c:a', 'v1:unit:c:b']) for (let i = 0; i < 2; i += 1) await reader({ key });
  expect(there.edge.size).toBe(2);
  there.world.state = null;
  there.tell(2, 2, { things: 2 });
  there.world.revision = 2;
  there.world.now += STALENESS + 1;
  await reader({ key: 'v1:unit:c:a' });
  // What was computed anew is there again.
  expect([...there.edge.keys()].map((key) => key.at(-1))).toEqual(['a']);
});

test('forgetting a company leaves the others and the bytes right', () => {
  const memory = new MemoryTier(3000);
  const ctx = makeCtx('r', () => undefined);
  const entry = (incarnation: string) => ({
    ...{ epoch: 'e', incarnation, revision: 1, validUntil: null, link: null },
    ...{ storedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER, body: new Uint8Array(40) },
  });
  memory.set(ctx, 'v1:unit:a:1', entry('old'));
  memory.set(ctx, 'v1:unit:b:1', entry('old'));
  expect(memory.forget('v1:unit:a:', 'old')).toEqual([]);
  expect(memory.forget('v1:unit:a:', 'new')).toEqual(['v1:unit:a:1']);
  expect(memory.get(ctx, 'v1:unit:a:1')).toBeNull();
  memory.set(ctx, 'v1:unit:a:2', entry('new'));
  // Both fit, for what was forgotten weighs nothing.
  expect([memory.get(ctx, 'v1:unit:a:2'), memory.get(ctx, 'v1:unit:b:1')]).not.toContain(null);
});
