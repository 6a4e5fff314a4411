import { expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { EdgeTier } from '../../../src/data/edge.ts';
import { MemoryTier } from '../../../src/data/memory.ts';
import { type CachedAnswer, decodeEntry, decodeHead, encodeEntry, entryOf } from '../../../src/data/tier.ts';

const loaded = { epoch: 'e', revision: 7, body: '{"a":\n1}', link: '<x>', validUntil: null };
const entry = (incarnation: string | null = 'i1', revision = 7): CachedAnswer =>
  entryOf({ ...loaded, revision }, incarnation, 60, 1000);
const ctx = makeCtx(
  'r',
  () => undefined,
  () => 1000,
);

test("an entry ends with its lifetime, ±10 %, or with the clock's change", () => {
  for (let i = 0; i < 50; i += 1) {
    expect(entry().expiresAt).toBeGreaterThanOrEqual(1000 + 54_000);
    expect(entry().expiresAt).toBeLessThanOrEqual(1000 + 66_000);
  }
  expect(entryOf({ ...loaded, validUntil: 5000 }, 'i1', 60, 1000)).toMatchObject({ expiresAt: 5000, validUntil: 5000 });
});

test('an entry comes back from text as it was', () => {
  expect(decodeEntry(encodeEntry(entry(), loaded.body))).toEqual({ ...entry(), expiresAt: expect.any(Number) });
});

const { body: _, ...head } = entry();
test.each([
  ['no incarnation, as an earlier version wrote it', { ...head, incarnation: undefined }],
  ['the incarnation of no state', { ...head, incarnation: null }],
  ['no epoch', { ...head, epoch: undefined }],
  ['no revision', { ...head, revision: '7' }],
  ['half a revision', { ...head, revision: 7.5 }],
  ['no time', { ...head, storedAt: undefined }],
  ['no end', { ...head, expiresAt: null }],
])('an entry with %s is none', async (_, wrong) => {
  expect(decodeHead(JSON.stringify(head))).toEqual(head);
  expect(decodeHead(JSON.stringify(wrong))).toBeNull();
  expect(decodeEntry(`${JSON.stringify(wrong)}\n{}`)).toBeNull();
  expect(await edge(wrong).get(ctx, 'k')).toBeNull();
  expect(await edge(head).get(ctx, 'k')).toMatchObject(head);
});

test.each(['', '{', 'x{}\n', '[]\n{}', '{}', 'null\n{}'])('%j is no entry', (text) =>
  expect(decodeEntry(text)).toBeNull(),
);

function edge(stored: object): EdgeTier {
  const match = async (): Promise<Response> => new Response('{}', { headers: { 'X-Entry': JSON.stringify(stored) } });
  return new EdgeTier(async () => ({ match, put: async () => undefined }) as never);
}

test('memory keeps the newer snapshot of one incarnation, and the later entry of another', () => {
  const memory = new MemoryTier();
  memory.set(ctx, 'k', entry('i1', 7));
  memory.set(ctx, 'k', entry('i1', 6));
  expect(memory.get(ctx, 'k')).toMatchObject({ incarnation: 'i1', revision: 7 });
  memory.set(ctx, 'k', entry('i2', 6));
  expect(memory.get(ctx, 'k')).toMatchObject({ incarnation: 'i2', revision: 6 });
});
