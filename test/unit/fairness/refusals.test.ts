import { expect, test } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import { announceIntent, awaitTurn, type RoomStub, type Turn } from '../../../src/data/rooms.ts';

/** An isolate and a room whose turns are all taken, which counts how often it is asked. */
function crowd(companyId: string, turn: Turn) {
  let now = 1_000_000;
  let calls = 0;
  const room = {
    expect: async () => {
      calls += 1;
      return false;
    },
    turn: async () => {
      calls += 1;
      return turn;
    },
  } as unknown as RoomStub;
  return {
    calls: () => calls,
    pass: (ms: number) => {
      now += ms;
    },
    /** A write's way to its turn. */
    async write(): Promise<string> {
      const ctx = makeCtx(
        'request',
        () => undefined,
        () => now,
      );
      const standing = await announceIntent(ctx, () => room, companyId, 1);
      return standing === 'waiting' ? await awaitTurn(ctx, () => room, companyId, { units: 1 }, 10_000) : standing;
    },
  };
}

const refusal = (retryAfter: number) => expect.objectContaining({ code: 'busy', extra: { retryAfter } });

test('who is refused is told the backlog; for a moment the isolate refuses others itself, and then asks again', async () => {
  const { calls, pass, write } = crowd('full', { full: true, again: 12_300 });
  await expect(write()).rejects.toEqual(refusal(13));
  expect(calls()).toBe(2);
  for (let i = 0; i < 100; i += 1) await expect(write()).rejects.toEqual(refusal(13));
  pass(400);
  await expect(write()).rejects.toEqual(refusal(12));
  expect(calls()).toBe(2);
  pass(200);
  await expect(write()).rejects.toEqual(refusal(13));
  expect(calls()).toBe(4);
});

test('a room that gave nobody a turn in time says nothing of those who come next', async () => {
  const { calls, write } = crowd('late', { full: false, again: 0 });
  await expect(write()).rejects.toEqual(refusal(2));
  await expect(write()).rejects.toEqual(refusal(2));
  expect(calls()).toBe(4);
});

test('a clock that steps back is no reason to believe it longer', async () => {
  const { calls, pass, write } = crowd('stepped', { full: true, again: 12_000 });
  await expect(write()).rejects.toEqual(refusal(12));
  pass(-3_600_000);
  await expect(write()).rejects.toEqual(refusal(12));
  expect(calls()).toBe(4);
});

test('another company is asked for', async () => {
  await expect(crowd('one', { full: true, again: 12_000 }).write()).rejects.toEqual(refusal(12));
  expect(await crowd('other', true).write()).toBe('expected');
});
