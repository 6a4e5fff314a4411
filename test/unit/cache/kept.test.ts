import { expect, test } from 'vitest';
import type { Loaded } from '../../../src/data/answer.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { keepAnswer } from '../../../src/data/keep-answer.ts';
import { largeBodyOf } from '../../../src/data/large-body.ts';
import { MemoryTier } from '../../../src/data/memory.ts';
import type { RedisStore } from '../../../src/data/redis.ts';

// What of an answer goes where: Redis is charged by the byte and carries for all, and an isolate has little memory.

const KIB = 1024;

test.each<[string, Loaded['body'], string[]]>([
  ['of 256 KiB is kept here and in Redis', 'x'.repeat(256 * KIB), ['memory', 'redis']],
  ['above is not sent to Redis', 'x'.repeat(256 * KIB + 1), ['memory']],
  ['of characters that are more bytes than that is not, either', 'ü'.repeat(128 * KIB + 1), ['memory']],
  ['above a megabyte is kept at the location at most', 'x'.repeat(KIB * KIB + 1), []],
  ['in parts as well', largeBodyOf(['x'.repeat(KIB * KIB), 'x']), []],
])('an answer %s', async (_, body, tiers) => {
  const waiting: Promise<unknown>[] = [];
  const ctx = makeCtx('r', (work) => void waiting.push(work));
  const sent: unknown[] = [];
  const redis = {
    async trip(_ctx: unknown, ask: (p: object) => void): Promise<null> {
      ask({ set: (key: unknown): void => void sent.push(key) });
      return null;
    },
  } as unknown as RedisStore;
  const memory = new MemoryTier();
  const plan = { companyId: 'c', key: 'k', representation: 'r', tags: [], ttl: 60, linked: false };
  const row = { epoch: 'e', head: 7, floor: 0, incarnation: 'i', values: [] };
  const loaded = { epoch: 'e', revision: 7, body, link: null, validUntil: null };
  keepAnswer({ ctx, plan }, { memory, edge: null, redis }, { loaded, row, at: ctx.now() });
  while (waiting.length > 0) await Promise.all(waiting.splice(0));
  expect([...(memory.get(ctx, 'k') === null ? [] : ['memory']), ...sent.map(() => 'redis')]).toEqual(tiers);
});
