import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Announcement, announce, type TagState } from '../../../src/core/revision.ts';
import { announceToRedis } from '../../../src/data/announce.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { incarnationOf } from '../../../src/data/pulse.ts';
import { openRedis, type RedisStore, tell } from '../../../src/data/redis.ts';
import { TagMemory, tagsKey } from '../../../src/data/tags.ts';
import { openStack, type Stack } from '../../support/world.ts';

// R3 lives twice: as a pure function that the model checks, and as Lua that Redis runs. They must be one.

let world: Stack;
let redis: RedisStore;
const ERA = 'era-of-this-suite';
beforeAll(async () => {
  world = await openStack();
  redis = openRedis({ url: String(world.vars.UPSTASH_REDIS_REST_URL), token: 'test', environment: 'lua' });
  await command('SET', redis.key('era'), ERA);
});
afterAll(() => world.close());

const ctx = () => makeCtx('req', () => undefined);
const work = (tags = new TagMemory()) => ({ ctx: ctx(), deps: { redis, tags } });
const EPOCHS = ['0190-a', '0190-b', '0190-c'];
const TAGS = ['clients', 'clients/1', 'users'];

const announcement = fc
  .record({
    epoch: fc.constantFrom(...EPOCHS),
    first: fc.integer({ min: 1, max: 12 }),
    length: fc.integer({ min: 0, max: 3 }),
    touched: fc.dictionary(fc.constantFrom(...TAGS), fc.nat(3)),
  })
  .map(({ epoch, first, length, touched }): Announcement => {
    const last = first + length - 1;
    const tags =
      length === 0
        ? {}
        : Object.fromEntries(Object.entries(touched).map(([tag, n]) => [tag, Math.min(first + n, last)]));
    return { epoch, first, last, tags };
  });

/** On a busy machine an answer may miss its deadline. To announce or ask again is harmless, once the breaker lets through. */
async function surely<T>(trip: () => Promise<T | null | false>): Promise<T> {
  for (let tries = 0; tries < 6; tries += 1) {
    const answer = await trip();
    if (answer !== null && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('Redis did not answer');
}

async function stateOf(companyId: string): Promise<TagState | null> {
  const fields = await surely(() =>
    redis.trip(
      ctx(),
      (p) => p.commands.push(['hgetall', tagsKey(redis, companyId)]),
      ([answer]) => answer as string[],
    ),
  );
  if (fields.length === 0) return null;
  const map = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) map.set(String(fields[i]), String(fields[i + 1]));
  const tags = [...map]
    .filter(([name]) => name.startsWith('t:'))
    .map(([name, value]) => [name.slice(2), Number(value)] as const);
  return {
    epoch: String(map.get('epoch')),
    incarnation: String(map.get('incarnation')),
    head: Number(map.get('head')),
    floor: Number(map.get('floor')),
    tags: Object.fromEntries(tags),
  };
}

let companies = 0;

test('the Lua script and announce() reach the same state from any sequence of announcements', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(announcement, { minLength: 1, maxLength: 8 }), async (sequence) => {
      companies += 1;
      const companyId = `company-${companies}`;
      let expected: TagState | null = null;
      const lives = new Set<string>();
      for (const each of sequence) {
        // Only the caller's name is random: whenever announce() takes a new one, Redis must have, and never otherwise.
        const next: TagState = announce(expected, each, 'fresh');
        await surely(() => announceToRedis(work(), { companyId, ...each }));
        const state = await stateOf(companyId);
        if (next.incarnation === 'fresh') {
          const name = String(state?.incarnation);
          expect(name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
          expect(lives).not.toContain(name);
          lives.add(name);
          next.incarnation = name;
        }
        expect(state).toEqual(next);
        expected = next;
      }
    }),
    { numRuns: 150 },
  );
});

test('an announcement of more tags than the script takes at a time', async () => {
  const tags = (from: number, revision: number) =>
    Object.fromEntries(Array.from({ length: 1201 }, (_, i) => [`clients:${from + i}`, revision + (i % 3)]));
  const first = { epoch: '0190-a', first: 1, last: 9, tags: tags(0, 1) };
  const second = { epoch: '0190-a', first: 10, last: 19, tags: { ...tags(600, 10), 'clients:0': 1 } };
  for (const each of [first, second]) await surely(() => announceToRedis(work(), { companyId: 'many', ...each }));
  const state = await stateOf('many');
  expect(state).toEqual(announce(announce(null, first, String(state?.incarnation)), second, 'unused'));
});

test('the writer learns from the answer what Redis now holds', async () => {
  const memory = new TagMemory();
  await announceToRedis(work(memory), {
    companyId: 'learner',
    epoch: '0190-a',
    first: 1,
    last: 2,
    tags: { clients: 2 },
  });
  const incarnation = incarnationOf(String((await stateOf('learner'))?.incarnation), ERA);
  expect(memory.fresh('learner', ['clients'], Date.now(), 1000)).toMatchObject({
    incarnation,
    head: 2,
    floor: 0,
    values: [2],
  });
});

const say = (companyId: string, first: number, last: number, tags: Record<string, number>, epoch = EPOCHS[1]) =>
  surely(() => announceToRedis(work(), { companyId, epoch: String(epoch), first, last, tags }));

const command = (...parts: [string, ...string[]]) =>
  surely(() => tell(redis, ctx(), (p) => p.eval(`return redis.call(unpack(ARGV))`, [], parts)));

test('a state that was lost comes back as another one', async () => {
  await say('lost', 9, 10, { clients: 10 });
  const before = await stateOf('lost');
  await command('DEL', tagsKey(redis, 'lost'));
  await say('lost', 9, 9, { clients: 9 });
  const after = await stateOf('lost');
  expect(after).toMatchObject({ head: 9, tags: { clients: 9 } });
  expect(after?.incarnation).not.toBe(before?.incarnation);
});

test('a state without an incarnation, of an earlier version, starts over, whatever its epoch', async () => {
  for (const epoch of EPOCHS) {
    const companyId = `earlier-${epoch}`;
    await command('HSET', tagsKey(redis, companyId), 'epoch', epoch, 'head', '20', 'floor', '3', 't:users', '7');
    await say(companyId, 21, 21, { clients: 21 });
    expect(await stateOf(companyId)).toEqual({
      epoch: EPOCHS[1],
      incarnation: expect.stringMatching(/^[0-9a-f-]{36}$/),
      head: 21,
      floor: 20,
      tags: { clients: 21 },
    });
  }
});

test('shedding tags keeps the incarnation, for the floor speaks for what was shed', async () => {
  await say('many', 1, 1, { users: 1 });
  const before = await stateOf('many');
  const many = { ...Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`t:clients/${i}`, 1])), size: 4001 };
  await surely(() => tell(redis, ctx(), (p) => p.hset(tagsKey(redis, 'many'), many)));
  await say('many', 2, 2, { users: 2 });
  expect(await stateOf('many')).toEqual({ ...before, head: 2, floor: 2, tags: { users: 2 } });
});
