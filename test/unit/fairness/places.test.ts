import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bid, Places, type Share, sharesOf } from '../../../src/data/places.ts';

const LEASE = 12_000;
const open = (limit = 20): Places => new Places(sharesOf(limit), LEASE);
/** Bids of one company that asked at `now`, and which of them got a place. */
function ask(places: Places, share: Share, company: string | null, many: number, now = 0): Bid[] {
  return Array.from({ length: many }, () => places.bid(share, company, now)).filter((bid) => places.take(bid, now));
}

test('the shares of the default limit', () => {
  expect(sharesOf(20)).toEqual({
    all: 20,
    auth: 3,
    jobs: 2,
    tenants: 15,
    writes: 10,
    writesOfOne: 2,
    readsOfOne: 6,
    heavyOfOne: 2,
  });
});

test('two writes and six reads of one company, however many it sends; the rest is for others', () => {
  const places = open();
  expect(ask(places, 'write', 'a', 1000)).toHaveLength(2);
  expect(ask(places, 'read', 'a', 1000)).toHaveLength(6);
  expect(ask(places, 'write', 'b', 1)).toHaveLength(1);
  expect(ask(places, 'read', 'b', 1)).toHaveLength(1);
  expect(ask(places, 'auth', null, 100)).toHaveLength(3);
  expect(ask(places, 'jobs', null, 100)).toHaveLength(2);
});

test('of the reads of one company two are heavy, which hold up none of the others', () => {
  const places = open();
  const heavy = ask(places, 'heavy', 'a', 1000);
  expect([heavy.length, ask(places, 'read', 'a', 1000).length]).toEqual([2, 4]);
  expect([ask(places, 'heavy', 'b', 9).length, ask(places, 'read', 'b', 1).length]).toEqual([2, 1]);
  // A place that is given back goes to those who wait, of whichever kind.
  const next = places.bid('read', 'a', 1);
  expect(places.take(next, 2000)).toBe(false);
  places.release(heavy[0] as Bid);
  expect(places.take(next, 2000)).toBe(true);
});

test('a clock that steps back keeps no place that nobody gives back', () => {
  const places = open();
  const hour = 3_600_000;
  expect(ask(places, 'write', 'a', 5, hour)).toHaveLength(2);
  expect(ask(places, 'write', 'a', 1, 1)).toHaveLength(1);
});

test('a hundred companies that write leave places for reads, and neither takes those of sign-in and cron', () => {
  const places = open();
  const writes = Array.from({ length: 100 }, (_, i) => ask(places, 'write', `w${i}`, 5)).flat();
  expect(writes).toHaveLength(10);
  const reads = Array.from({ length: 100 }, (_, i) => ask(places, 'read', `r${i}`, 5)).flat();
  expect(reads).toHaveLength(5);
  expect(ask(places, 'auth', null, 5)).toHaveLength(3);
  expect(ask(places, 'jobs', null, 5)).toHaveLength(2);
  expect(places.counts().held).toBe(20);
});

test.each([1, 2, 3, 4, 5, 1000])('with a limit of %d every kind gets a place in the end', (limit) => {
  const places = open(limit);
  for (const share of ['read', 'write', 'auth', 'jobs'] as const) {
    const [bid] = ask(places, share, 'a', 1);
    expect(bid).toBeDefined();
    if (bid !== undefined) places.release(bid);
  }
});

test('who came first goes first, also past one who came later and asks sooner', () => {
  const places = open();
  const [held] = ask(places, 'write', 'a', 2);
  const [early, late] = [places.bid('write', 'a', 1), places.bid('write', 'a', 2)];
  expect([places.take(early, 3), places.take(late, 3)]).toEqual([false, false]);
  if (held !== undefined) places.release(held);
  expect(places.take(late, 4)).toBe(false);
  expect(places.bid('write', 'a', 4).queued).toBe(true);
  expect(places.take(early, 5)).toBe(true);
});

test('a company that asks once is not behind one that asks a thousand times', () => {
  const places = open(5);
  // Two places for reads and writes together: `a` holds one of them and has a queue.
  const crowd = Array.from({ length: 50 }, (_, i) => places.bid('read', `a${i % 5}`, 0));
  let held = crowd.filter((bid) => places.take(bid, 0));
  const single = places.bid('read', 'b', 1);
  let turns = 0;
  for (; !places.take(single, turns); turns += 1) {
    for (const bid of held) places.release(bid);
    held = crowd.filter((bid) => bid.queued && places.take(bid, turns));
    expect(turns).toBeLessThan(3);
  }
});

test('a place whose holder was cancelled is free again after the lease, and giving it back then changes nothing', () => {
  const places = open();
  const [lost] = ask(places, 'write', 'a', 2);
  const next = places.bid('write', 'a', LEASE - 1);
  expect(places.take(next, LEASE - 1)).toBe(false);
  expect(places.take(next, LEASE)).toBe(true);
  expect(places.counts().held).toBe(2);
  if (lost !== undefined) places.release(lost);
  expect(places.counts().held).toBe(2);
});

test('who stopped asking holds nobody up, and is back in its place when it asks again', () => {
  const places = open();
  const [one] = ask(places, 'write', 'a', 2);
  const gone = places.bid('write', 'a', 0);
  const second = places.bid('write', 'a', 0);
  const third = places.bid('write', 'a', 0);
  for (const now of [900, 1800]) expect(places.take(third, now)).toBe(false);
  // `second` was silent as well, but asks again before a place is free.
  expect(places.take(second, 1900)).toBe(false);
  if (one !== undefined) places.release(one);
  expect(places.take(third, 2000)).toBe(false);
  expect(places.take(second, 2000)).toBe(true);
  expect(gone.queued).toBe(false);
  places.leave(gone);
  places.leave(third);
  expect(places.counts()).toEqual({ held: 2, waiting: 0 });
});

test('whatever happens, no share is exceeded, and all are free when all have gone', () => {
  const steps = fc.array(
    fc.record({
      share: fc.constantFrom<Share>('read', 'heavy', 'write', 'auth', 'jobs'),
      company: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      gives: fc.boolean(),
      passes: fc.integer({ min: 0, max: 1500 }),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 30 }), (list, limit) => {
      const places = new Places(sharesOf(limit), Number.MAX_SAFE_INTEGER);
      const shares = sharesOf(limit);
      const waiting: Bid[] = [];
      const held: Bid[] = [];
      let now = 0;
      const poll = (): void => {
        for (const bid of waiting.splice(0)) (places.take(bid, now) ? held : waiting).push(bid);
      };
      for (const { share, company, gives, passes } of list) {
        now += passes;
        if (gives && held.length > 0) places.release(held.shift() as Bid);
        waiting.push(places.bid(share, share === 'auth' || share === 'jobs' ? null : company, now));
        poll();
        const of = (kind: Share): Bid[] => held.filter(({ lane }) => lane.share === kind);
        expect(held.length).toBeLessThanOrEqual(shares.all);
        expect(of('write').length).toBeLessThanOrEqual(shares.writes);
        const reads = [...of('read'), ...of('heavy')];
        expect(of('write').length + reads.length).toBeLessThanOrEqual(shares.tenants);
        for (const { lane } of of('write')) expect(lane.held).toBeLessThanOrEqual(shares.writesOfOne);
        for (const { lane } of of('heavy')) expect(lane.held).toBeLessThanOrEqual(shares.heavyOfOne);
        for (const { lane } of reads) {
          const own = reads.filter((bid) => bid.lane.companyId === lane.companyId);
          expect(own.length).toBeLessThanOrEqual(shares.readsOfOne);
        }
        expect(places.counts()).toEqual({ held: held.length, waiting: waiting.length });
      }
      // Nobody waits for ever: as places are given back, all that asked get theirs.
      for (let round = 0; waiting.length > 0; round += 1) {
        for (const bid of held.splice(0)) places.release(bid);
        poll();
        expect(round).toBeLessThan(list.length + 1);
      }
      for (const bid of held) places.release(bid);
      expect(places.counts()).toEqual({ held: 0, waiting: 0 });
    }),
  );
});
