import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pace } from '../../../src/core/pace.ts';
import { TurnDesk } from '../../../src/realtime/turn-desk.ts';
import { LONGEST_TURN, MOST_UNDER_WAY, MOST_WAITING, Turns } from '../../../src/realtime/turns.ts';

const four = ['a', 'b', 'c', 'd'];

/** A pace that nobody feels. */
const any = (): Pace => new Pace(1e9, 1e9);

/** Turns that are all taken since 0. */
function full(): Turns {
  const turns = new Turns(any());
  for (const id of four) turns.begin(id, 1, 0);
  return turns;
}

describe('turns', () => {
  test('four begin at once, the fifth waits, and begins when one of them ends', () => {
    const turns = new Turns(any());
    expect(four.map((id) => turns.begin(id, 1, 0))).toEqual([true, true, true, true]);
    expect(turns.begin('e', 1, 1)).toBe(false);
    turns.wait('e', 1, 10_000, 0);
    expect(turns.call(1)).toEqual({ begun: [], late: [] });
    turns.end('c', 2);
    expect(turns.call(2)).toEqual({ begun: ['e'], late: [] });
  });

  test('nobody who comes later begins before one who waits', () => {
    const turns = full();
    turns.wait('e', 1, 10_000, 0);
    turns.end('a', 1);
    expect(turns.begin('f', 1, 1)).toBe(false);
    turns.wait('f', 1, 10_000, 0);
    expect(turns.call(1).begun).toEqual(['e']);
    turns.end('b', 1);
    expect(turns.call(1).begun).toEqual(['f']);
  });

  test('a clock that steps back keeps no turn that nobody ends', () => {
    const hour = 3_600_000;
    const turns = new Turns(any());
    for (const id of four) turns.begin(id, 1, hour);
    expect(turns.begin('e', 1, 1)).toBe(true);
  });

  test('who waits too long is given up, and does not begin later', () => {
    const turns = full();
    turns.wait('e', 1, 100, 0);
    expect(turns.nextCall(0)).toBe(100);
    expect(turns.call(100)).toEqual({ begun: [], late: ['e'] });
    turns.end('a', 101);
    expect(turns.call(101)).toEqual({ begun: [], late: [] });
    expect(turns.nextCall(0)).toBeNull();
  });

  test('a write whose Worker died gives its turn up in time', () => {
    const turns = full();
    turns.wait('e', 1, 60_000, 0);
    expect(turns.nextCall(0)).toBe(LONGEST_TURN);
    expect(turns.call(LONGEST_TURN - 1).begun).toEqual([]);
    expect(turns.call(LONGEST_TURN).begun).toEqual(['e']);
  });

  test('who asks again after a lost answer has its turn still', () => {
    const turns = full();
    expect(turns.begin('a', 1, 5)).toBe(true);
    expect(turns.begin('e', 1, 5)).toBe(false);
  });

  test('no more wait than a company may have', () => {
    const turns = full();
    for (let i = 0; i < MOST_WAITING; i += 1) expect(turns.wait(`w${i}`, 1, 10_000, 0)).toBe(true);
    expect(turns.wait('more', 1, 10_000, 0)).toBe(false);
  });

  test('heavy writes go one at a time with a rest half as long as each took, and light ones are not behind them', () => {
    const turns = new Turns(any());
    expect(turns.begin('heavy', 5, 0)).toBe(true);
    expect(turns.begin('next', 5, 0)).toBe(false);
    turns.wait('next', 5, 10_000, 0);
    turns.wait('light', 1, 10_000, 0);
    expect(turns.call(10).begun).toEqual(['light']);
    turns.end('light', 20);
    expect(turns.nextCall(20)).toBe(LONGEST_TURN);
    turns.end('heavy', 300);
    expect(turns.call(300).begun).toEqual([]);
    expect(turns.nextCall(300)).toBe(450);
    expect(turns.call(450).begun).toEqual(['next']);
    // One that nobody ends is over in time.
    turns.wait('last', 5, 60_000, 450);
    expect(turns.call(450 + LONGEST_TURN).begun).toEqual([]);
    expect(turns.call(450 + LONGEST_TURN * 1.5).begun).toEqual(['last']);
  });

  test('a clock that steps back lengthens no rest', () => {
    const turns = new Turns(any());
    turns.begin('heavy', 5, 3_600_000);
    turns.end('heavy', 3_600_500);
    expect(turns.begin('next', 5, 100)).toBe(true);
  });

  test('whatever happens, never more than four, in the order they came, and nobody is forgotten', () => {
    const step = fc.record({ ends: fc.boolean(), crashes: fc.boolean(), passes: fc.integer({ min: 0, max: 4000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const turns = new Turns(any());
        const underWay = new Map<string, number>();
        const order: string[] = [];
        let now = 0;
        const began = (ids: readonly string[]): void => {
          for (const id of ids) underWay.set(id, now);
          order.push(...ids);
        };
        for (const [i, { ends, crashes, passes }] of steps.entries()) {
          now += passes;
          const [first] = underWay.keys();
          if (ends && first !== undefined) {
            underWay.delete(first);
            if (!crashes) turns.end(first, now);
          }
          if (turns.begin(String(i), 1, now)) began([String(i)]);
          else turns.wait(String(i), 1, Number.MAX_SAFE_INTEGER, 0);
          began(turns.call(now).begun);
          const living = [...underWay.values()].filter((since) => now - since < LONGEST_TURN);
          expect(living.length).toBeLessThanOrEqual(MOST_UNDER_WAY);
        }
        for (let next = turns.nextCall(now); next !== null; next = turns.nextCall(now)) {
          now = next;
          began(turns.call(now).begun);
        }
        expect(order).toEqual(steps.map((_, i) => String(i)));
      }),
    );
  });
});

describe('the desk', () => {
  /** A clock that is turned by hand, with its timers. */
  function clock() {
    let time = 0;
    let timers: { at: number; work: () => void }[] = [];
    return {
      now: () => time,
      after: (ms: number, work: () => void) => void timers.push({ at: time + ms, work }),
      async to(at: number): Promise<void> {
        time = at;
        const due = timers.filter((timer) => timer.at <= at);
        timers = timers.filter((timer) => timer.at > at);
        for (const { work } of due) work();
        await Promise.resolve();
      },
      timers: () => timers.length,
    };
  }

  test('answers a caller when another write ends', async () => {
    const desk = new TurnDesk(clock(), any());
    for (const id of four) expect(desk.begin(id, 1)).toBe(true);
    expect(desk.begin('e', 1)).toBe(false);
    const waits = desk.wait('e', 1, 1000);
    desk.end('b');
    expect(await waits).toBe(true);
  });

  test('answers by its own timer, though nobody ends a turn', async () => {
    const time = clock();
    const desk = new TurnDesk(time, any());
    for (const id of four) desk.begin(id, 1);
    const [patient, impatient] = [desk.wait('e', 1, 10_000), desk.wait('f', 1, 2000)];
    await time.to(2000);
    expect(await impatient).toEqual({ full: false, again: 0 });
    await time.to(LONGEST_TURN);
    expect(await patient).toBe(true);
  });

  test('a write that ends while it waits is answered and leaves no trace', async () => {
    const time = clock();
    const desk = new TurnDesk(time, any());
    for (const id of four) desk.begin(id, 1);
    const waits = desk.wait('e', 1, 1000);
    desk.end('e');
    expect(await waits).toEqual({ full: false, again: 0 });
    desk.end('a');
    expect(desk.begin('f', 1)).toBe(true);
  });

  test('tells whom it refuses when a turn could come, and at once where that is too late', async () => {
    const time = clock();
    // A unit a second, and one at once.
    const desk = new TurnDesk(time, new Pace(60, 1));
    expect(desk.begin('a', 5)).toBe(true);
    desk.end('a');
    const waits = desk.wait('b', 5, 10_000);
    expect(await desk.wait('c', 1, 9000)).toEqual({ full: true, again: 10_000 });
    await time.to(5000);
    expect(await waits).toBe(true);
    expect(await desk.wait('c', 1, 4000)).toEqual({ full: true, again: 5000 });
  });

  test('who waits to take what another write takes is told so, and is in nobody’s way; others wait on', async () => {
    const desk = new TurnDesk(clock(), any());
    for (const id of four) desk.begin(id, 1);
    expect(desk.isContested).toBe(false);
    const plain = desk.wait('e', 1, 1000);
    expect(desk.isContested).toBe(false);
    const [same, other] = [desk.wait('f', 1, 1000, ['a/1', 'b/1']), desk.wait('g', 1, 1000, ['a/2'])];
    expect(desk.isContested).toBe(true);
    desk.taken(new Set(['b/1', 'c']));
    expect(await same).toBe('overtaken');
    desk.end('a');
    expect(await plain).toBe(true);
    // More than one call could tell: anything may be among it.
    desk.taken(null);
    expect(await other).toBe('overtaken');
    desk.end('b');
    expect(desk.begin('h', 1)).toBe(true);
  });

  test('a thousand callers need one timer, not a thousand', () => {
    const time = clock();
    const desk = new TurnDesk(time, any());
    for (const id of four) desk.begin(id, 1);
    for (let i = 0; i < 1000; i += 1) void desk.wait(`w${i}`, 1, 10_000);
    expect(time.timers()).toBe(1);
  });
});
