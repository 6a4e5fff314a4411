import { expect, test } from 'vitest';
import { foundOut, ifNobodyIs } from '../../../src/data/alone.ts';
import { makeCtx } from '../../../src/data/ctx.ts';

let now = 1_000_000;
const ctx = makeCtx(
  'test',
  () => undefined,
  () => now,
);

test('one at a time begins, and the next as soon as it has ended', () => {
  const end = ifNobodyIs(ctx, 'a');
  expect(end).not.toBeNull();
  expect(ifNobodyIs(ctx, 'a')).toBeNull();
  expect(ifNobodyIs(ctx, 'b')).not.toBeNull();
  end?.();
  expect(ifNobodyIs(ctx, 'a')).not.toBeNull();
});

test('one that never ends keeps nobody from it for long, and one that ends late ends nobody else’s', () => {
  const late = ifNobodyIs(ctx, 'cut');
  now += 14_999;
  expect(ifNobodyIs(ctx, 'cut')).toBeNull();
  now += 1;
  expect(ifNobodyIs(ctx, 'cut')).not.toBeNull();
  late?.();
  expect(ifNobodyIs(ctx, 'cut')).toBeNull();
});

test('what is found out for others as well is done to its end, whoever asked may leave', async () => {
  const kept: Promise<unknown>[] = [];
  const asking = makeCtx('leaves', (work) => void kept.push(work));
  const found = Promise.withResolvers<string>();
  const first = foundOut(
    asking,
    'tags',
    () => null,
    () => found.promise,
  );
  await Promise.resolve();
  expect(kept).toHaveLength(1);
  expect(ifNobodyIs(asking, 'tags')).toBeNull();
  found.reject(new Error('away'));
  // What keeps the request there never fails by itself, and by its end the next may begin.
  await Promise.all(kept);
  expect(ifNobodyIs(asking, 'tags')).not.toBeNull();
  await expect(first).rejects.toThrow('away');
});
