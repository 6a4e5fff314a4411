import type { SQL } from 'drizzle-orm';
import { afterEach, expect, test, vi } from 'vitest';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Deps } from '../../../src/data/deps.ts';
import { bytesOf, type LargeBody } from '../../../src/data/large-body.ts';
import { entryOf } from '../../../src/data/tier.ts';
import { leavePlace, placeFor } from '../../../src/http/large-answer.ts';
import { client } from '../../../src/people/clients/resource.ts';
import { type Found, TURN, wholePage, written } from '../../../src/resources/pieces.ts';

// How a page of large rows is put together: in turns of few bytes, between which the isolate serves others.

afterEach(() => vi.unstubAllGlobals());

const KIB = 1024;
const COMPANY = '019a0000-0000-7000-8000-000000000000';
const textOf = (id: string, kib: number): string => JSON.stringify({ id, notes: 'x'.repeat(kib * KIB) });

/** The rows of a page as its first piece has them, which holds those of the first `held`. */
const pageOf = (sizes: readonly number[], held: number): Found[] =>
  sizes.map((kib, n) => {
    const text = textOf(String(n), kib);
    return { id: String(n), embedded: null, rank: null, bytes: text.length, row: n < held ? text : null };
  });

/** Puts a page together, and tells the bytes that were written out in each turn, and what was read and charged. */
async function built(
  rows: Found[],
  more: {
    isWhole?: boolean;
    shown?: (row: Record<string, unknown>) => object;
    charge?: (kib: number) => Promise<void>;
    now?: () => number;
  } = {},
) {
  const turns: number[] = [0];
  const reads: number[] = [];
  const charged: number[] = [];
  const ctx = { ...makeCtx('test', () => undefined), ...(more.now !== undefined && { now: more.now }) };
  const read = {
    async batch(_ctx: unknown, _call: unknown, statements: readonly SQL[]) {
      const { params } = (statements[1] as SQL).toQuery({
        casing: undefined as never,
        escapeName: (name) => name,
        escapeParam: () => '?',
        escapeString: (text) => text,
      });
      const ids = params.find((each): each is string[] => Array.isArray(each)) ?? [];
      reads.push(ids.length);
      const wanted = ids.map((id) => ({ row: textOf(id, Math.round((rows[Number(id)] as Found).bytes / KIB - 0.04)) }));
      return [[{ epoch: 'e', revision: '7' }], wanted];
    },
  };
  const asked = {
    ...{ resource: client, owner: { companyId: COMPANY }, name: 'clients.list' },
    ...{ limit: rows.length, isWhole: more.isWhole ?? true },
    take(row: Record<string, unknown>, found: Found): void {
      found.shown = JSON.stringify(more.shown?.(row) ?? row);
      turns[turns.length - 1] = (turns.at(-1) ?? 0) + found.bytes;
    },
  };
  const work = {
    ctx,
    deps: { read } as unknown as Deps,
    charge: async (kib: number): Promise<void> => {
      charged.push(Math.round(kib));
      await more.charge?.(kib);
    },
  };
  const later = setTimeout;
  // Whoever sets a timer lets others have their turns before it.
  vi.stubGlobal('setTimeout', (begin: () => void, ms?: number) =>
    later(() => {
      turns.push(0);
      begin();
    }, ms),
  );
  await wholePage(work, asked, { epoch: 'e', revision: 7, rows: [rows] });
  return { turns: turns.filter((bytes) => bytes > 0), reads, charged };
}

test('an ordinary page is written out at once', async () => {
  expect(await built(pageOf(Array(50).fill(2), 50))).toEqual({ turns: [expect.any(Number)], reads: [], charged: [] });
});

test('one of a megabyte is written out in turns of an eighth of that, without another read', async () => {
  const { turns, reads, charged } = await built(pageOf(Array(100).fill(10), 100));
  expect(Math.max(...turns)).toBeLessThanOrEqual(TURN);
  expect([turns.length, reads, charged]).toEqual([9, [], []]);
});

test('a larger one is charged before it is read, and each of its reads is written out in such turns', async () => {
  const { turns, reads, charged } = await built(pageOf(Array(100).fill(100), 10));
  // One row at least.
  expect(Math.max(...turns)).toBeLessThanOrEqual(TURN);
  expect([turns.length, reads, charged]).toEqual([100, [20, 20, 20, 20, 20], [10_002]]);
});

test('a large one stays in its rows: nothing makes one text of them, or copies them to keep them', async () => {
  const rows = pageOf(Array(100).fill(100), 10);
  await built(rows);
  const body = written(rows, '{}') as LargeBody;
  const most = Math.max(...body.parts.map(({ length }) => length));
  expect(most).toBe(textOf('10', 100).length);
  expect(entryOf({ epoch: 'e', revision: 7, body, link: null, validUntil: null }, 'i', 60, 0).body).toBe(body);
  const pieces = [...bytesOf(body)];
  expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeLessThan(TURN);
  const text = Buffer.concat(pieces).toString();
  expect(text).toBe(`{"data":[${rows.map((_, n) => textOf(String(n), 100)).join()}],"pagination":{}}`);
});

test('of one that shows little of large rows that is its text, which every tier keeps', async () => {
  const rows = pageOf(Array(100).fill(100), 10);
  await built(rows, { shown: ({ id }) => ({ id }) });
  const shown = rows.map((_, n) => `{"id":"${n}"}`);
  expect(written(rows, '{}')).toBe(`{"data":[${shown.join()}],"pagination":{}}`);
});

test('who may not have it yet holds nothing while waiting, and what is refused reads nothing', async () => {
  const rows = pageOf(Array(100).fill(100), 10);
  const busy = built(rows, {
    async charge() {
      expect(rows.every(({ row }) => row === null)).toBe(true);
      throw new Error('busy');
    },
  });
  await expect(busy).rejects.toThrow('busy');
  // Nothing is left behind: the next one gets its turn and its place.
  expect((await built(pageOf(Array(100).fill(100), 10))).reads).toHaveLength(5);
});

test.each([
  ['is read within ten seconds', 9000, true],
  ['is not', 11_000, false],
])('it waits for one of its company that keeps all its room and %s', async (_, until, isAnswered) => {
  let now = 0;
  const seat = placeFor(COMPANY, now, 16 * KIB * KIB);
  const reading = built(pageOf(Array(100).fill(100), 10), {
    now() {
      now += 250;
      if (now === until) leavePlace(seat);
      return now;
    },
  });
  if (isAnswered) expect((await reading).reads).toHaveLength(5);
  else await expect(reading).rejects.toMatchObject({ code: 'busy' });
  leavePlace(seat);
});
