import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { doAll, earliest } from '../../../src/realtime/duties.ts';
import { RETRY } from '../../../src/realtime/patience.ts';

beforeAll(() => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  return () => log.mockRestore();
});

const FAILS = ['throws', 'rejects', 'never ends'] as const;

test('whichever of its duties fail, and however, an alarm has begun all others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('is done', ...FAILS), { maxLength: 6 }), async (ways) => {
      const begun = ways.map(() => false);
      void doAll(
        ways.map((way, at) => () => {
          begun[at] = true;
          if (way === 'throws') throw new Error('a storage that fails');
          if (way === 'rejects') return Promise.reject(new Error('a database that is away'));
          return way === 'is done' ? null : new Promise<null>(() => undefined);
        }),
      );
      expect(begun).toEqual(ways.map(() => true));
    }),
  );
});

test('it comes back for the first that is due, and in a moment for what failed', async () => {
  const at = Date.now() + 3_600_000;
  expect(await doAll([() => at, async () => at + 1, () => null, () => undefined])).toBe(at);
  const failed = await doAll([
    () => at,
    () => {
      throw new Error('a storage that fails');
    },
  ]);
  expect(Number(failed) - Date.now()).toBeLessThanOrEqual(RETRY);
  expect([await doAll([]), earliest(null, undefined)]).toEqual([null, null]);
});
