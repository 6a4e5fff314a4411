/** What the maps of an isolate weigh when they are full, by heap: `node --expose-gc bench/heap.ts`. */
import { randomUUID } from 'node:crypto';
import { makeCtx } from '../src/data/ctx.ts';
import { MemoryTier } from '../src/data/memory.ts';
import { incarnationOf } from '../src/data/pulse.ts';
import { RateCounter } from '../src/data/rate.ts';
import { TagMemory } from '../src/data/tags.ts';
import { decodeEntry, encodeEntry, entryOf } from '../src/data/tier.ts';
import { WeighedMap } from '../src/data/weighed.ts';

const { gc } = globalThis;
if (gc === undefined) throw new Error('run with --expose-gc');

function weight(): number {
  for (let i = 0; i < 4; i += 1) gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const MIB = 1024 * 1024;
const kept: unknown[] = [];
function measure(name: string, fill: () => unknown): void {
  const before = weight();
  kept.push(fill());
  console.log(`${name.padEnd(58)} ${((weight() - before) / MIB).toFixed(1).padStart(6)} MiB`);
}

const ctx = makeCtx(
  'heap',
  () => undefined,
  () => 1000,
);

/** As one comes from Redis: every string its own. */
function entry(size: number) {
  const loaded = {
    epoch: randomUUID(),
    revision: 7,
    body: 'x'.repeat(size),
    link: '</api/v1/clients?limit=50>; rel="first"',
  };
  const made = entryOf({ ...loaded, validUntil: null }, incarnationOf(randomUUID(), randomUUID()), 60, 1000);
  return decodeEntry(encodeEntry(made, loaded.body)) ?? made;
}
const keyOf = (n: number): string => `v1:main:${randomUUID()}:1::clients.list:${String(n).padStart(22, 'x')}`;

for (const [count, size] of [
  [200_000, 83],
  [50_000, 1000],
  [2000, 50_000],
] as const)
  measure(`answers in memory: ${count} of ${size} bytes`, () => {
    const tier = new MemoryTier();
    for (let n = 0; n < count; n += 1) tier.set(ctx, keyOf(n), entry(size));
    return tier;
  });

for (const [companies, tags] of [
  [2000, 400],
  [50_000, 2],
] as const)
  measure(`tags: ${companies} companies of ${tags}`, () => {
    const memory = new TagMemory();
    for (let c = 0; c < companies; c += 1) {
      const names = Array.from({ length: tags }, () => `clients/${randomUUID()}`);
      const row = { epoch: randomUUID(), incarnation: incarnationOf(randomUUID(), randomUUID()), head: 9, floor: 1 };
      memory.learn(randomUUID(), names, { ...row, values: names.map(() => 7) }, 1000);
    }
    return memory;
  });

measure('counts of the rate limit: 20000 companies', () => {
  const rate = new RateCounter();
  for (let n = 0; n < 20_000; n += 1) rate.add(randomUUID(), 1, 1000);
  return rate;
});

for (const length of [60, 2000])
  measure(`parsed requests: 20000 of ${length} characters`, () => {
    const prepared = new WeighedMap<unknown>(4 * MIB);
    for (let n = 0; n < 20_000; n += 1) {
      // What resources/read.ts keeps of a list: the query as parsed, and its plan.
      const path = `/api/v1/clients?q=${String(n).padStart(length, 'y')}`;
      const text = path.slice(15);
      const query = {
        mode: 'page',
        page: 1,
        limit: 50,
        count: 'exact',
        path: path.slice(0, 15),
        normalised: `${text}&`,
        search: text.slice(3),
        sort: [{ field: 'createdAt', descending: true }],
        filters: { tag: [text.slice(4)], status: ['ACTIVE'] },
        fields: null,
        include: [],
        cursor: null,
      };
      const plan = {
        companyId: randomUUID(),
        key: keyOf(n),
        representation: String(n).padStart(22, 'r'),
        tags: ['clients'],
        ttl: 1800,
      };
      prepared.set(
        `${plan.companyId}  clients.list ${path}`,
        JSON.parse(JSON.stringify({ query, plan })),
        3 * path.length + 2600,
      );
    }
    return prepared;
  });
console.log(kept.length > 0 ? '' : '');
