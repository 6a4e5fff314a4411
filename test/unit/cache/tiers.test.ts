import { expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { EdgeTier } from '../../../src/data/edge.ts';
import { bytesOf, largeBodyOf } from '../../../src/data/large-body.ts';
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

test('of large copies so much is fetched at once, and what is beyond is as if it were not there; small ones always are', async () => {
  const ends: (() => void)[] = [];
  const kept = new Map<string, Response>();
  let cancelled = 0;
  const tier = new EdgeTier(
    async () =>
      ({
        put: async (key: string, { headers }: Response) => void kept.set(key, new Response(null, { headers })),
        async match(key: string) {
          const { headers } = kept.get(key) as Response;
          const arrayBuffer = () => new Promise((end) => ends.push(() => end(new ArrayBuffer(1))));
          const cancel = async (): Promise<void> => {
            cancelled += 1;
          };
          return { headers, arrayBuffer, body: { cancel } };
        },
      }) as never,
  );
  const [large, small] = [7 * 1024 * 1024, 100_000];
  for (const [key, bytes] of Object.entries({ large, small }))
    await tier.set(ctx, key, { ...entry(), body: new Uint8Array(bytes) });
  const told = { large: 0, small: 0, missing: 0 };
  const ask = async (key: 'large' | 'small'): Promise<void> => {
    told[(await tier.get(ctx, key)) === null ? 'missing' : key] += 1;
  };
  const round = async (): Promise<void> => {
    const asked = [...Array(40).fill('large'), 'small'].map(ask);
    await Promise.resolve().then(() => new Promise(setImmediate));
    for (const end of ends.splice(0)) end();
    await Promise.all(asked);
  };
  await round();
  expect([told, cancelled]).toEqual([{ large: 2, small: 1, missing: 38 }, 38]);
  await round();
  expect(told).toEqual({ large: 4, small: 2, missing: 76 });
});

test('a large body is in pieces what its parts are, in order, and small parts are sent together', () => {
  const sizes = [0, 1, 3, 500, 64, 100_000, 0, 129, 2, 65_536, 65_535, 1, 30_000, 30_000, 30_000, 5];
  const parts = sizes.map((size, at) => (at % 2 === 0 ? 'aü' : 'b€').repeat(size).slice(0, size));
  const body = largeBodyOf(parts);
  const pieces = [...bytesOf(body)];
  expect(Buffer.concat(pieces).toString()).toBe(parts.join(''));
  expect(Buffer.concat(pieces).byteLength).toBe(body.byteLength);
  expect(pieces.length).toBe(5);
});

test('a large body is put at the location whole', async () => {
  let put: Response | undefined;
  const tier = new EdgeTier(
    async () =>
      ({
        async put(_key: string, response: Response) {
          put = response;
        },
      }) as never,
  );
  const parts = ['a', 'ü', 'c'].map((letter) => letter.repeat(700_000));
  await tier.set(ctx, 'k', { ...entry(), body: largeBodyOf(parts) });
  expect(put?.headers.get('X-Size')).toBe('2800000');
  expect((await put?.text()) === parts.join('')).toBe(true);
});
