import { expect, test } from 'vitest';
import { Breaker } from '../../../src/data/breaker.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { LEASE, readPulse } from '../../../src/data/pulse.ts';
import { type Marks, PulseKeeper } from '../../../src/data/pulse-keeper.ts';
import { keysOf, type RedisStore } from '../../../src/data/redis.ts';

/** A Redis of words alone, with watches that look after it. */
function place() {
  const world = { now: 1_000_000, words: new Map<string, string>(), reads: true, writes: true };
  const redis: RedisStore = {
    breaker: new Breaker(3, 1000),
    fault: null,
    key: keysOf('unit'),
    async trip(_ctx, fill, read) {
      const answers: unknown[] = [];
      const refuse = (): never => {
        throw new Error('refused');
      };
      const set = (words: Record<string, unknown>): void => {
        if (!world.writes) refuse();
        for (const [key, value] of Object.entries(words)) world.words.set(key, String(value));
        answers.push('OK');
      };
      try {
        fill({
          mget: (...keys: string[]) =>
            world.reads ? answers.push(keys.flat().map((key) => world.words.get(key) ?? null)) : refuse(),
          mset: set,
          set: (key: string, value: unknown) => set({ [key]: value }),
        } as never);
        return read(answers);
      } catch {
        return null;
      }
    },
  };
  const watch = (id = 'w') => {
    let marks: Marks | null = null;
    const keeper = new PulseKeeper(redis, id, {
      read: () => marks,
      write: (next) => {
        marks = next;
      },
    });
    const ctx = () =>
      makeCtx(
        'watch',
        () => undefined,
        () => world.now,
      );
    return {
      beat: () => keeper.beat(ctx()),
      alert: () => keeper.alert(ctx()),
      pass: async (ms: number) => {
        world.now += ms;
        return keeper.beat(ctx());
      },
    };
  };
  const word = (name: string): string | undefined => world.words.get(`v1:unit:${name}`);
  const live = (): boolean => readPulse(word('era'), word('beat'), world.now).live;
  return { world, watch, word, live };
}

test('a Redis of no era gets one; from then on the watch moves its mark on and vouches', async () => {
  const { watch, word, live } = place();
  const { beat, pass } = watch();
  expect(await beat()).toBe('renewed');
  const era = word('era');
  expect(era).toMatch(/^[0-9a-f-]{36}$/);
  for (let n = 2; n < 6; n += 1) {
    expect(await pass(3000)).toBe('beaten');
    expect([word('mark:w'), word('era'), live()]).toEqual([String(n), era, true]);
  }
});

test('an older mark, a missing one and a missing era each mean that Redis was set back: the era is renewed', async () => {
  const { world, watch, word } = place();
  const { beat, pass } = watch();
  await beat();
  const snapshot = new Map(world.words);
  await pass(3000);
  await pass(3000);
  for (const damage of [
    () => {
      world.words = new Map(snapshot);
    },
    () => world.words.delete('v1:unit:mark:w'),
    () => world.words.delete('v1:unit:era'),
    () => world.words.clear(),
  ]) {
    const era = word('era');
    damage();
    expect(await pass(3000)).toBe('renewed');
    expect(word('era')).not.toBe(era);
    expect(await pass(3000)).toBe('beaten');
  }
});

test('a mark whose answer was lost may have been taken or not: neither is a set-back', async () => {
  for (const taken of [true, false]) {
    const { world, watch, word } = place();
    const { beat, pass } = watch();
    await beat();
    const era = word('era');
    world.writes = false;
    expect(await pass(3000)).toBe('failed');
    world.writes = true;
    if (taken) world.words.set('v1:unit:mark:w', '2');
    await pass(1000);
    expect(word('era')).toBe(era);
  }
});

test('several watches on one Redis do not take each other for a set-back, and a new one takes over the era it finds', async () => {
  const { watch, word } = place();
  const [first, second] = [watch('a'), watch('b')];
  await first.beat();
  const era = word('era');
  for (let n = 0; n < 4; n += 1) {
    expect(await second.pass(1500)).toBe('beaten');
    expect(await first.pass(1500)).toBe('beaten');
  }
  expect(word('era')).toBe(era);
});

test('after trouble nothing is vouched for until all has been well for a while', async () => {
  const { world, watch, live } = place();
  const { beat, pass } = watch();
  await beat();
  world.reads = false;
  expect(await pass(3000)).toBe('failed');
  expect(await pass(LEASE)).toBe('failed');
  world.reads = true;
  for (const _ of [1, 2, 3, 4]) expect([await pass(1000), live()]).toEqual(['calming', false]);
  expect([await pass(1000), live()]).toEqual(['beaten', true]);
});

test('an alert takes back what was vouched for at once', async () => {
  const { watch, live } = place();
  const { beat, alert, pass } = watch();
  await beat();
  expect(live()).toBe(true);
  await alert();
  expect(live()).toBe(false);
  expect(await pass(3000)).toBe('calming');
  expect(await pass(3000)).toBe('beaten');
});

test('a beat speaks for a lease, and not at all when it comes from the future', () => {
  const live = (beat: unknown): boolean => readPulse('e', beat, 100_000).live;
  expect([live('100000'), live(String(100_001 - LEASE)), live('101000')]).toEqual([true, true, true]);
  expect([live(String(100_000 - LEASE)), live('0'), live(null), live('x'), live('200000')]).toEqual(
    Array.from({ length: 5 }, () => false),
  );
});
