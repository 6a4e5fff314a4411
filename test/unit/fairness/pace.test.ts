import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { burstOf, Pace } from '../../../src/core/pace.ts';
import { LONGEST_TURN, Turns } from '../../../src/realtime/turns.ts';

/** A unit every 60 ms. */
const PER_MINUTE = 1000;
const UNIT = 60;

describe('a pace', () => {
  test('lets a burst through at once, then one unit after another', () => {
    const pace = new Pace(PER_MINUTE, 3);
    for (let i = 0; i < 3; i += 1) {
      expect(pace.readyAt(100)).toBe(100);
      pace.spend(1, 100);
    }
    expect(pace.readyAt(100)).toBe(100 + UNIT);
    expect(pace.readyAt(100, 2)).toBe(100 + 3 * UNIT);
    pace.spend(1, 160);
    expect(pace.readyAt(160)).toBe(160 + UNIT);
  });

  test('what rests has its burst again, and no more', () => {
    const pace = new Pace(PER_MINUTE, 3);
    for (let i = 0; i < 3; i += 1) pace.spend(1, 0);
    for (let i = 0; i < 3; i += 1) {
      expect(pace.readyAt(3_600_000)).toBe(3_600_000);
      pace.spend(1, 3_600_000);
    }
    expect(pace.readyAt(3_600_000)).toBe(3_600_000 + UNIT);
  });

  test('what weighs more than the burst goes, and is waited for afterwards', () => {
    const pace = new Pace(PER_MINUTE, 3);
    pace.spend(10, 0);
    expect(pace.readyAt(0)).toBe(8 * UNIT);
  });

  test('those that are told beforehand wait one behind the other, however many they are', () => {
    const pace = new Pace(PER_MINUTE, 3);
    for (let i = 0; i < 40; i += 1) {
      expect(pace.readyAt(0)).toBe(Math.max(0, 5 * i - 2) * UNIT);
      pace.spend(5, 0);
    }
    // What one of them did not need is given back.
    pace.spend(-5, 0);
    expect(pace.readyAt(0)).toBe((5 * 39 - 2) * UNIT);
  });

  test('a clock that steps back makes nobody wait for it to catch up', () => {
    const pace = new Pace(PER_MINUTE, 3);
    for (let i = 0; i < 3; i += 1) pace.spend(1, 3_600_000);
    expect(pace.readyAt(0)).toBe(0);
  });
});

describe('turns at a pace', () => {
  /** A company's writes, each over at once, as many as its pace allows until `end`. @returns when each began */
  function busy(turns: Turns, end: number): number[] {
    const began: number[] = [];
    for (let now = 0; now < end; now += 1)
      for (let more = true; more; ) {
        const id = `${now}.${began.length}`;
        more = turns.begin(id, 1, now);
        if (more) began.push(now);
        turns.end(id, now);
      }
    return began;
  }

  test('a company that never pauses does a minute of work in a minute, and a burst before it', () => {
    const began = busy(new Turns(new Pace(PER_MINUTE, burstOf(PER_MINUTE))), 60_000);
    expect(began.filter((at) => at === 0)).toHaveLength(200);
    expect(began).toHaveLength(200 + PER_MINUTE - 1);
  });

  test('who comes beyond the burst waits for its turn, and is called when the pace allows it', () => {
    const turns = new Turns(new Pace(PER_MINUTE, 1));
    expect(turns.begin('a', 5, 0)).toBe(true);
    turns.end('a', 0);
    expect(turns.begin('b', 1, 0)).toBe(false);
    expect(turns.wait('b', 1, 10_000, 0)).toBe(true);
    expect(turns.nextCall(0)).toBe(5 * UNIT);
    expect(turns.call(5 * UNIT - 1).begun).toEqual([]);
    expect(turns.call(5 * UNIT).begun).toEqual(['b']);
  });

  test('whose turn cannot come in time is told so at once', () => {
    const turns = new Turns(new Pace(PER_MINUTE, 1));
    turns.begin('a', 1, 0);
    turns.end('a', 0);
    expect(turns.wait('b', 5, 1000, 0)).toBe(true);
    expect(turns.wait('c', 1, 300, 0)).toBe(false);
    expect(turns.wait('c', 1, 400, 0)).toBe(true);
    // Who left is no longer waited for.
    turns.end('b', 0);
    expect(turns.wait('d', 1, 200, 0)).toBe(true);
  });

  const asks = fc.record({
    after: fc.integer({ min: 0, max: 400 }),
    units: fc.constantFrom(1, 1, 1, 5),
    patience: fc.integer({ min: 1, max: 5000 }),
    lasts: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.constant(Number.POSITIVE_INFINITY)),
  });

  test('whatever comes: in order, heavy ones one at a time, never more than burst and pace, and everybody is answered by their deadline', () => {
    fc.assert(
      fc.property(fc.array(asks, { maxLength: 80 }), fc.integer({ min: 1, max: 20 }), (writes, burst) => {
        const turns = new Turns(new Pace(PER_MINUTE, burst));
        const began: { id: string; at: number }[] = [];
        const ends: { id: string; at: number }[] = [];
        const open = new Map<string, number>();
        const unitsOf = (id: string): number => writes[Number(id)]?.units ?? 0;
        const begin = (id: string, at: number): void => {
          began.push({ id, at });
          open.delete(id);
          const lasts = writes[Number(id)]?.lasts ?? 0;
          if (Number.isFinite(lasts)) ends.push({ id, at: at + lasts });
        };
        const call = (now: number): void => {
          const { begun, late } = turns.call(now);
          for (const id of begun) begin(id, now);
          for (const id of late) {
            expect(open.get(id), 'nobody is given up early').toBeLessThanOrEqual(now);
            open.delete(id);
          }
        };
        let now = 0;
        /** Lets the time pass, as the desk's timer and the ends of turns do. */
        const pass = (until: number): void => {
          for (;;) {
            ends.sort((a, b) => a.at - b.at);
            const next = Math.min(
              ends[0]?.at ?? Number.POSITIVE_INFINITY,
              turns.nextCall(now) ?? Number.POSITIVE_INFINITY,
            );
            if (next > until) break;
            now = Math.max(now, next);
            while (ends[0] !== undefined && ends[0].at <= now) turns.end(ends.shift()?.id ?? '', now);
            call(now);
            for (const deadline of open.values()) expect(deadline, 'nobody waits beyond it').toBeGreaterThan(now);
          }
          now = until;
        };
        for (const [i, { after, units, patience }] of writes.entries()) {
          pass(now + after);
          const id = String(i);
          if (turns.begin(id, units, now)) begin(id, now);
          else if (turns.wait(id, units, now + patience, now)) open.set(id, now + patience);
        }
        pass(now + 5000 + LONGEST_TURN);
        expect(open.size, 'everybody was answered').toBe(0);
        // Light ones are not behind heavy ones.
        for (const isOfThem of [(units: number) => units === 1, (units: number) => units > 1]) {
          const ids = began.flatMap(({ id }) => (isOfThem(unitsOf(id)) ? [Number(id)] : []));
          expect(ids, 'in the order they came').toEqual([...ids].sort((a, b) => a - b));
        }
        const heavy = began.filter(({ id }) => unitsOf(id) > 1);
        for (const [i, { id, at }] of heavy.slice(0, -1).entries()) {
          const took = Math.min(writes[Number(id)]?.lasts ?? 0, LONGEST_TURN);
          expect(heavy[i + 1]?.at, 'one heavy one at a time, with a rest').toBeGreaterThanOrEqual(at + took * 1.5 - 1);
        }
        for (const [first, { at: from }] of began.entries()) {
          let units = 0;
          for (const { id, at } of began.slice(first)) {
            // One of five units may begin while a single one is left.
            expect(units, 'not more than the pace').toBeLessThanOrEqual(burst + 4 + (at - from) / UNIT);
            units += unitsOf(id);
          }
        }
      }),
    );
  });
});
