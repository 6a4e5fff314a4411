import { expect, test } from 'vitest';
import { announceToRedis } from '../../../src/data/announce.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Deps } from '../../../src/data/deps.ts';

// The hosted Redis locks all that it holds for a script that does not say that its keys are enough, which no other Redis tells:
// every write of one company would stop all others.

test('the announcement takes no lock but that of its one key, and touches no other', async () => {
  const said: { script: string; keys: readonly string[] }[] = [];
  const pipeline = {
    eval: (script: string, keys: readonly string[]): void => void said.push({ script, keys }),
    get: (): void => undefined,
  };
  const redis = {
    key: (...parts: string[]): string => parts.join(':'),
    async trip(_ctx: unknown, ask: (p: typeof pipeline) => void): Promise<null> {
      ask(pipeline);
      return null;
    },
  };
  const deps = { redis, tags: { forget: () => undefined } } as unknown as Pick<Deps, 'redis' | 'tags'>;
  const ctx = makeCtx('test', () => undefined);
  await announceToRedis({ ctx, deps }, { companyId: 'c', epoch: 'e', first: 1, last: 1, tags: { clients: 1 } });
  const [{ script, keys } = { script: '', keys: [] }] = said;
  expect([said.length, keys.length]).toEqual([1, 1]);
  expect(script.split('\n')[0]).toBe('#!lua flags=allow-key-locking');
  const calls = [...script.matchAll(/redis\.p?call\(([^,)]+),\s*([^,)]+)/g)];
  expect(calls.length).toBe((script.match(/redis\.p?call/g) ?? []).length);
  expect(new Set(calls.map(([, , key]) => key))).toEqual(new Set(['key']));
  expect(script.match(/KEYS\[\d+\]/g)).toEqual(['KEYS[1]']);
});
