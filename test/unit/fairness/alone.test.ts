import { expect, test } from 'vitest';
import { ifNobodyIs } from '../../../src/data/alone.ts';
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
