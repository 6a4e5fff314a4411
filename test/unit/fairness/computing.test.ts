import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Work } from '../../../src/data/deps.ts';
import type { TagRow } from '../../../src/data/tags.ts';
import { inTurn, paced } from '../../../src/resources/computing.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const KIB = 1024;
let companies = 0;
const newCompany = (): string => `company-${++companies}`;
const settings = { rateLimitPerMinute: 1000, databaseAcquireTimeout: 10_000 };
const work = (): Work => ({ ctx: makeCtx('test', () => undefined), deps: { settings } as Work['deps'] });

/** Whether each of so many answers of a kind was computed, before any time has passed. */
async function atOnce(companyId: string, name: string, count: number, kib: number): Promise<number> {
  let made = 0;
  const compute = async (): Promise<void> => {
    made += 1;
  };
  for (let i = 0; i < count; i += 1) void inTurn(work(), { companyId, name }, { compute, weigh: () => kib });
  await vi.advanceTimersByTimeAsync(0);
  return made;
}

test('small answers are computed as they are asked for; large ones few at once, then two megabytes a second', async () => {
  const [small, large] = [newCompany(), newCompany()];
  expect(await atOnce(small, 'list', 50, 10)).toBe(50);
  // The first tells what the next of its kind are like.
  expect(await atOnce(large, 'list', 1, 500)).toBe(1);
  expect(await atOnce(large, 'list', 20, 500)).toBe(3);
  // Others of the isolate are not behind them.
  expect(await atOnce(small, 'list', 20, 10)).toBe(20);
  // Nor are small ones of their own company: whoever asks for large ones and leaves keeps no front desk waiting.
  expect(await atOnce(large, 'detail', 20, 8)).toBe(20);
  let made = 0;
  const compute = async (waited: boolean): Promise<void> => {
    expect(waited).toBe(true);
    made += 1;
  };
  void inTurn(work(), { companyId: large, name: 'list' }, { compute, weigh: () => 500 });
  await vi.advanceTimersByTimeAsync(3000);
  expect(made).toBe(0);
  await vi.advanceTimersByTimeAsync(2000);
  expect(made).toBe(1);
});

test('who would wait too long is told so, and what fails costs nothing', async () => {
  const companyId = newCompany();
  const failing = { compute: () => Promise.reject(new Error('away')), weigh: () => 1 };
  for (let i = 0; i < 500; i += 1)
    await expect(inTurn(work(), { companyId, name: 'list' }, failing)).rejects.toThrow('away');
  expect(await atOnce(companyId, 'list', 1, 25_000)).toBe(1);
  await expect(inTurn(work(), { companyId, name: 'list' }, failing)).rejects.toMatchObject({ code: 'busy' });
});

test('after a wait nothing is built on what was read before; parts are not put together; who is not known is not charged', async () => {
  const companyId = newCompany();
  const row = {} as TagRow;
  const loaded = { epoch: '', revision: 1, body: 'x'.repeat(3000 * KIB), link: null, validUntil: null };
  const load = vi.fn(async () => loaded);
  const compose = vi.fn(async () => loaded);
  const read = paced(work(), { companyId, name: 'list' }, { load, compose });
  const away = paced(work(), { companyId, name: 'list' }, { load: () => Promise.reject(new Error('who?')) });
  for (let i = 0; i < 100; i += 1) await expect(away.load(true, row)).rejects.toThrow('who?');
  expect(await read.compose?.(row)).toBe(loaded);
  expect(await read.compose?.(row)).toBeNull();
  await read.load(false, row);
  expect(load).toHaveBeenLastCalledWith(false, row, expect.any(Function));
  const waited = read.load(false, row);
  await vi.advanceTimersByTimeAsync(5000);
  await waited;
  expect(load).toHaveBeenLastCalledWith(false, null, expect.any(Function));
});

test('a clock that goes on between two looks at it is no wait', async () => {
  let now = 0;
  const ticking: Work = {
    ...work(),
    ctx: makeCtx(
      'test',
      () => undefined,
      () => ++now,
    ),
  };
  const kind = { companyId: newCompany(), name: 'list', mayBeLarge: true };
  const compute = vi.fn(async () => undefined);
  await inTurn(ticking, kind, { compute, weigh: () => 8 });
  expect(compute).toHaveBeenLastCalledWith(false, expect.any(Function));
});

test('what is found to be large is charged before it is made, and once; those behind it of its kind wait or are refused', async () => {
  const companyId = newCompany();
  let made = 0;
  const compute = async (_: boolean, charge: (kib: number) => Promise<void>): Promise<void> => {
    await charge(10_000);
    made += 1;
  };
  const ask = () => inTurn(work(), { companyId, name: 'list' }, { compute, weigh: () => 8 });
  // All of them are let through, as nobody knows what they are; the first goes on, and two more come within ten seconds.
  const asked = Array.from({ length: 40 }, () => ask());
  const ended = Promise.allSettled(asked);
  await vi.advanceTimersByTimeAsync(0);
  expect(made).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(made).toBe(3);
  const refused = (await ended).filter((each) => each.status === 'rejected');
  expect(refused).toHaveLength(37);
  expect(refused[0]?.reason).toMatchObject({ code: 'busy' });
  // Now that it is known what they are, each waits once, in the order of their coming.
  await vi.advanceTimersByTimeAsync(60_000);
  const later = [ask(), ask(), ask()];
  for (const at of [4, 5, 6]) {
    await vi.advanceTimersByTimeAsync(at === 4 ? 0 : 5000);
    expect(made).toBe(at);
  }
  await Promise.all(later);
});

test('of a kind that may be large one is made first; the others are charged what it weighs, and never wait long for it', async () => {
  const kind = { companyId: newCompany(), name: 'list', mayBeLarge: true };
  const found = Promise.withResolvers<void>();
  let [begun, made] = [0, 0];
  const compute = async (waited: boolean, charge: (kib: number) => Promise<void>): Promise<void> => {
    // What the others read before they waited for the first is old.
    expect(waited).toBe(begun > 0);
    begun += 1;
    await found.promise;
    await charge(10_000);
    made += 1;
  };
  const asked = Array.from({ length: 40 }, () => inTurn(work(), kind, { compute, weigh: () => 8 }));
  const ended = Promise.allSettled(asked);
  await vi.advanceTimersByTimeAsync(2000);
  expect(begun).toBe(1);
  found.resolve();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([begun, made]).toEqual([3, 3]);
  expect((await ended).filter(({ status }) => status === 'rejected')).toHaveLength(37);
  // Where it hangs they go on, and who fails makes nothing known.
  const other = { ...kind, companyId: newCompany() };
  const hanging = vi.fn(() => new Promise<void>(() => undefined));
  const failing = { compute: () => Promise.reject(new Error('away')), weigh: () => 8 };
  await expect(inTurn(work(), other, failing)).rejects.toThrow('away');
  for (let i = 0; i < 5; i += 1) void inTurn(work(), other, { compute: hanging, weigh: () => 8 });
  await vi.advanceTimersByTimeAsync(2900);
  expect(hanging).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(hanging).toHaveBeenCalledTimes(5);
});
