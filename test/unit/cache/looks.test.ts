import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Looks } from '../../../src/realtime/looks.ts';

/** When a room looks, whose alarm rings exactly when it should. */
function looksOf(events: readonly [at: number, what: 'announced' | 'suspected'][], until: number): number[] {
  const looks = new Looks();
  looks.looked(0);
  const found: number[] = [];
  const queue = [...events];
  for (let now = 0; now <= until; now += 100) {
    while (queue[0] !== undefined && queue[0][0] <= now) looks[queue.shift()?.[1] as 'announced'](now);
    if (!looks.isDue(now)) continue;
    found.push(now);
    looks.looked(now);
  }
  return found;
}

test('once some seconds and once a minute after an announcement', () => {
  expect(looksOf([[1000, 'announced']], 200_000)).toEqual([7000, 61_000]);
});

test('announcements that never cease do not put the look off', () => {
  const all = Array.from({ length: 300 }, (_, n): [number, 'announced'] => [n * 100, 'announced']);
  expect(looksOf(all, 200_000)).toEqual([6000, 12_000, 18_000, 24_000, 30_000, 35_900, 89_900]);
});

test('a suspicion is looked into in a moment, and spares no announcement its look', () => {
  expect(looksOf([[1000, 'suspected']], 200_000)).toEqual([2500]);
  expect(
    looksOf(
      [
        [1000, 'announced'],
        [2000, 'suspected'],
      ],
      200_000,
    ),
  ).toEqual([3500, 7000, 61_000]);
});

test('a room that was evicted looks once for certain', () => {
  const looks = new Looks();
  expect(looks.isDue(5)).toBe(true);
  looks.looked(5);
  expect([looks.isDue(6), looks.next()]).toEqual([false, null]);
});

test('what was announced during a look is looked for again', () => {
  const looks = new Looks();
  looks.announced(1000);
  looks.announced(7100);
  looks.looked(7000);
  expect(looks.next()).toBe(13_000);
  looks.looked(13_000);
  expect(looks.next()).toBe(67_000);
});

test('a clock that steps back an hour has it look at once, and as often as ever', () => {
  const looks = new Looks();
  looks.announced(3_600_000);
  expect(looks.isDue(1000)).toBe(true);
  looks.looked(1000);
  expect(looks.next()).toBe(7000);
  looks.looked(7000);
  expect(looks.next()).toBe(61_000);
  looks.looked(61_000);
  expect(looks.next()).toBeNull();
});

test('what a look finds lost and announces again is looked for again as soon', () => {
  const looks = new Looks();
  looks.announced(1000);
  looks.announced(7000);
  looks.looked(7000);
  expect(looks.next()).toBe(13_000);
});

/** A look that fails, as Redis cannot be reached, is tried again a second later; a clock that steps takes all with it. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(9000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('announced', 'suspected' as const) }) },
  fc.record({ do: fc.constantFrom('break', 'mend' as const) }),
  fc.record({ do: fc.constant('step' as const), ms: fc.constantFrom(-3_600_000, -3000, 3000, 3_600_000) }),
);

test('whatever fails meanwhile, each announcement is looked for when it is 6 s old, and within 6 s more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const looks = new Looks();
      /** By the clock of the room, which steps, and by one that does not. */
      let [now, time] = [0, 0];
      let isBroken = false;
      /** Announcements that nobody has looked for when they were old enough. */
      let open: number[] = [];
      /** Since when Redis can be asked, and the clock goes evenly. */
      let even = 0;
      const pass = (): void => {
        [now, time] = [now + 100, time + 100];
        if (looks.isDue(now) && !isBroken) {
          looks.looked(now);
          open = open.filter((at) => time - at < 6000);
        }
        for (const at of open) expect(time - Math.max(at, even)).toBeLessThanOrEqual(12_100);
      };
      for (const each of steps) {
        if (each.do === 'announced') open.push(time);
        if (each.do === 'announced' || each.do === 'suspected') looks[each.do](now);
        if (each.do === 'break' || each.do === 'mend') isBroken = each.do === 'break';
        if (each.do === 'step') now += each.ms;
        // They are as old as that by the only clock there is.
        if (each.do === 'step' && each.ms > 0) open = [];
        if (isBroken || each.do === 'step' || each.do === 'mend') even = time;
        if (each.do === 'pass') for (let left = each.ms; left > 0; left -= 100) pass();
      }
      isBroken = false;
      even = time;
      for (let left = 20_000; left > 0; left -= 100) pass();
      expect(open).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
