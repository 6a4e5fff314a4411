/** What the maps of an isolate weigh when they are full, by heap: `node --expose-gc bench/heap.ts`. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { keyPrincipal } from '../src/account/api-keys/principal.ts';
import { mintKey } from '../src/account/api-keys/secret.ts';
import { SCOPES } from '../src/account/permissions.ts';
import { learn, keyOf as limitKey } from '../src/account/sign-in/counts.ts';
import { rememberSession, userPrincipal } from '../src/account/sign-in/principal.ts';
import { loadKeys, signAccess, verifyAccess } from '../src/account/sign-in/tokens.ts';
import { type Joined, slicesOf } from '../src/calendar/busy-slices.ts';
import type { Swept } from '../src/calendar/sweep.ts';
import {
  weightOfCatalogue,
  weightOfDay,
  weightOfLists,
  weightOfSweep,
  weightOfTimes,
} from '../src/calendar/weights.ts';
import { makeCtx } from '../src/data/ctx.ts';
import type { Deps } from '../src/data/deps.ts';
import { MemoryTier } from '../src/data/memory.ts';
import { incarnationOf } from '../src/data/pulse.ts';
import { RateCounter } from '../src/data/rate.ts';
import { TagMemory } from '../src/data/tags.ts';
import { shareOf, WeighedMap } from '../src/data/weighed.ts';
import type { AppContext } from '../src/http/context.ts';
import type { Settings } from '../src/settings.ts';
import { calendarOf, entry, numbers, uuid } from './heap-samples.ts';

const { gc } = globalThis;
if (gc === undefined) throw new Error('run with --expose-gc');

function weight(): number {
  for (let i = 0; i < 4; i += 1) gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const MIB = 1024 * 1024;
/** What all maps of an isolate may weigh together. */
const MOST = 48;
const kept: unknown[] = [];
/** The most that each kind of map weighed, MiB. */
const most = new Map<string, number>();
async function measure(kind: string, name: string, fill: () => unknown): Promise<void> {
  const before = weight();
  kept.push(await fill());
  const mib = (weight() - before) / MIB;
  most.set(kind, Math.max(most.get(kind) ?? 0, mib));
  console.log(`${`${kind}: ${name}`.padEnd(58)} ${mib.toFixed(1).padStart(6)} MiB`);
}

const ctx = makeCtx(
  'heap',
  () => undefined,
  () => 1000,
);

const keyOf = (n: number): string => `v1:main:${randomUUID()}:1::clients.list:${String(n).padStart(22, 'x')}`;

for (const [count, size] of [
  [200_000, 83],
  [50_000, 1000],
  [2000, 50_000],
] as const)
  await measure('answers in memory', `${count} of ${size} bytes`, () => {
    const tier = new MemoryTier();
    for (let n = 0; n < count; n += 1) tier.set(ctx, keyOf(n), entry(size));
    return tier;
  });

for (const [companies, tags] of [
  [2000, 400],
  [50_000, 2],
] as const)
  await measure('tags', `${companies} companies of ${tags}`, () => {
    const memory = new TagMemory();
    for (let c = 0; c < companies; c += 1) {
      const names = Array.from({ length: tags }, () => `clients/${randomUUID()}`);
      const row = { epoch: randomUUID(), incarnation: incarnationOf(randomUUID(), randomUUID()), head: 9, floor: 1 };
      memory.learn(randomUUID(), names, { ...row, values: names.map(() => 7) }, 1000);
    }
    return memory;
  });

for (const whose of ['companies', 'calendars'])
  await measure(`counts of the rate limit of ${whose}`, '20000', () => {
    const rate = new RateCounter();
    for (let n = 0; n < 20_000; n += 1) rate.add(randomUUID(), 1, 1000);
    return rate;
  });

for (const length of [60, 2000])
  await measure('parsed requests', `20000 of ${length} characters`, () => {
    const prepared = new WeighedMap<unknown>(shareOf('requests'));
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

for (const [subjects, stretches] of [
  [100, 10],
  [5, 2],
  [1, 40],
] as const)
  await measure('days of calendars', `${subjects} people, ${stretches} bookings a day`, () => {
    const calendar = new WeighedMap<unknown>(shareOf('calendarDays'));
    for (let n = 0; n < 24_000 / subjects; n += 1) {
      const ids = Array.from({ length: subjects }, uuid);
      // As it comes from Postgres: every text its own.
      const pieces = (): string => JSON.parse(JSON.stringify('0A0U'.repeat(stretches)));
      const days = slicesOf(
        ids.map((id) => [id, [1000], [pieces()], null]),
        ids,
        [1000],
        7,
      );
      for (const slices of days.values())
        calendar.set(`${uuid()} ${n}`, { epoch: uuid(), incarnation: uuid(), slices }, weightOfDay(slices));
    }
    return calendar;
  });

for (const [people, stretches] of [
  [50, 930],
  [1, 40],
] as const) {
  await measure('lists of calendars', `${people} people, ${stretches} stretches each`, () => {
    const lists = new WeighedMap<unknown>(shareOf('calendarLists'));
    for (let n = 0; n < 10_000 / people; n += 1) {
      const busy = new Map(Array.from({ length: people }, () => [uuid(), numbers(2 * stretches)]));
      const made: Joined = { days: Array.from({ length: 37 }, () => new Map()), busy, ends: new Map() };
      lists.set(`${uuid()} ${n}`, made, weightOfLists(made));
    }
    return lists;
  });
  await measure('sweeps of calendars', `${people} people, ${stretches / 5} stretches each`, () => {
    const sweeps = new WeighedMap<unknown>(shareOf('sweeps'));
    for (let n = 0; n < 10_000 / people; n += 1) {
      const each = (): Swept => ({ opened: numbers(60), starts: numbers((2 * stretches) / 5), busy: undefined });
      const staff = new Map(Array.from({ length: people }, () => [uuid(), each()]));
      sweeps.set(`${uuid()} ${n}`, { staff }, weightOfSweep(staff));
    }
    return sweeps;
  });
}

for (const [people, more] of [
  [2, 5],
  [100, 20],
] as const) {
  await measure('catalogues', `${people} people, ${more} of each`, () => {
    const catalogues = new WeighedMap<unknown>(shareOf('catalogues'));
    for (let n = 0; n < 5000 / people; n += 1) {
      const { busy: _, ...catalogue } = calendarOf(people, more);
      catalogues.set(`${uuid()} ${n}`, { epoch: uuid(), incarnation: uuid(), catalogue }, weightOfCatalogue(catalogue));
    }
    return catalogues;
  });
  await measure('late looks', `${people} people, ${more} of each`, () => {
    const lately = new WeighedMap<unknown>(shareOf('lateLooks'));
    for (let n = 0; n < 5000 / people; n += 1) {
      const calendar = calendarOf(people, more);
      lately.set(`${uuid()} ${n}`, { calendar, at: n }, weightOfCatalogue(calendar) + weightOfTimes(calendar.busy));
    }
    return lately;
  });
}

await measure('calendars that were fetched', '20000', () => {
  const feeds = new WeighedMap<true>(shareOf('feeds'));
  for (let n = 0; n < 20_000; n += 1) feeds.set(uuid(), true, 200);
  return feeds;
});

// The maps of `account` belong to their modules, and are filled by what fills them in a Worker.
const SEVERAL = 20_000;
const settings = { environment: 'main', cursorSecret: 'c'.repeat(43), loginLimit: 10 } as Settings;
const deps = {
  settings,
  redis: { trip: async () => null, key: (...parts: string[]) => `v1:main:${parts.join(':')}` },
  auth: { batch: async () => [] },
} as unknown as Deps;
const c = { env: { ctx, deps }, req: { header: () => undefined } } as unknown as AppContext;

await measure('verified tokens', `${SEVERAL}, with who they name`, async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const kid = { kid: 'k1' };
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), ...kid }] };
  const keys = await loadKeys(JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...kid }), JSON.stringify(jwks));
  for (let n = 0; n < SEVERAL; n += 1) {
    const claims = { userId: uuid(), companyId: uuid(), sessionId: uuid(), role: 'OWNER' } as const;
    const { token } = await signAccess(keys, claims, 1000);
    userPrincipal(await verifyAccess(keys, token, 1000), deps);
  }
  return keys;
});

await measure('living sessions', `${SEVERAL}`, () => {
  for (let n = 0; n < SEVERAL; n += 1)
    rememberSession(ctx, { userId: uuid(), companyId: uuid(), sessionId: uuid(), role: 'OWNER' });
});

await measure('keys that were vouched for, and stamped', `${SEVERAL} of all scopes`, () => {
  for (let n = 0; n < SEVERAL; n += 1) {
    const { secret } = mintKey(randomUUID(), randomUUID());
    const principal = keyPrincipal(c, secret);
    const scopes = JSON.parse(JSON.stringify([...SCOPES])) as string[];
    principal.credential.settle(ctx, deps, [{ scopes, expires_at: null }]);
    principal.answered?.(null);
  }
});

await measure('counters of sign-in', `${SEVERAL}`, () => {
  for (let n = 0; n < SEVERAL; n += 1)
    learn(limitKey(c.env, { subject: `login:${n}@example.com`, most: 0, seconds: 900 }), 1000 + n);
});

const all = [...most.values()].reduce((sum, mib) => sum + mib, 0);
console.log(`${'all together, each at its most'.padEnd(58)} ${all.toFixed(1).padStart(6)} MiB`);
if (all > MOST) console.log(`that is more than ${MOST} MiB, for ${kept.length} fills`);
