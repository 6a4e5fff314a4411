import { expect, test } from 'vitest';
import { at, type Counted } from '../../../src/core/counts.ts';
import { type Ctx, makeCtx } from '../../../src/data/ctx.ts';
import type { MonitorApi, Slot } from '../../../src/data/monitor.ts';
import { Tally } from '../../../src/data/tally.ts';

/** An isolate with a clock of the test's, whose monitor is `report`. */
function isolate(report: (slots: readonly Slot[]) => Promise<void> = async () => undefined) {
  let now = 1_700_000_000_000;
  const background: Promise<unknown>[] = [];
  const tally = new Tally(() => ({ report }) as MonitorApi);
  return {
    tally,
    background,
    pass: (ms: number) => {
      now += ms;
    },
    work: (): Ctx =>
      makeCtx(
        'req_x',
        (work) => void background.push(work),
        () => now,
      ),
  };
}

const sum = (slots: readonly Slot[], name: Counted): number =>
  slots.reduce((total, { counts }) => total + at(counts, name), 0);

test('a request is counted with its status and its time, less what its caller wanted to wait', () => {
  const { tally, work, pass } = isolate();
  const ctx = work();
  pass(40);
  ctx.times.wait = 25;
  tally.request(ctx, 200);
  tally.request(work(), 404);
  tally.request(work(), 503);
  const slots = tally.take();
  expect(['requests', 'ms', 'clientErrors', 'serverErrors'].map((name) => sum(slots, name as Counted))).toEqual([
    3, 15, 1, 1,
  ]);
  expect(tally.take()).toEqual([]);
});

test('what belongs to another ten seconds is told apart, also where the clock steps back', () => {
  const { tally, work, pass } = isolate();
  for (const step of [0, 10_000, -20_000]) {
    pass(step);
    tally.read(work(), 'HIT', 'memory');
  }
  const slots = tally.take();
  expect(slots.map(({ at: slot }) => slot % 10_000)).toEqual([0, 0, 0]);
  expect(new Set(slots.map(({ at: slot }) => slot)).size).toBe(3);
  expect(sum(slots, 'memory')).toBe(3);
});

test('one request at a time sees to it that the monitor is told, and one that was ended is followed by another', () => {
  const { tally, work, pass, background } = isolate();
  for (let count = 0; count < 5; count += 1) tally.request(work(), 200);
  expect(background).toHaveLength(1);
  pass(20_001);
  tally.request(work(), 200);
  expect(background).toHaveLength(2);
  pass(-3_600_000);
  tally.request(work(), 200);
  expect(background).toHaveLength(3);
});

test('whoever answers no requests tells of its calls at once, and then not for a while', async () => {
  const told: Slot[] = [];
  const { tally, work, pass, background } = isolate(async (slots) => void told.push(...slots));
  tally.query(work(), 'relay', 5, false);
  tally.query(work(), 'relay', 2000, true);
  await Promise.all(background);
  expect(background).toHaveLength(1);
  pass(30_000);
  tally.query(work(), 'relay', 7, false);
  await Promise.all(background);
  expect([sum(told, 'queries'), sum(told, 'queryMs'), sum(told, 'slowQueries')]).toEqual([3, 2012, 1]);
  expect(told.flatMap(({ slow }) => slow)).toEqual([{ name: 'relay', count: 1, longest: 2000 }]);
});

test('a monitor that is away costs counts, and nobody else anything; of what waits there is a bound', async () => {
  const { tally, work, pass, background } = isolate(() => Promise.reject(new Error('away')));
  tally.query(work(), 'relay', 5, false);
  await expect(Promise.all(background)).resolves.toBeDefined();
  for (let slot = 0; slot < 100; slot += 1) {
    pass(10_000);
    tally.read(work(), 'MISS', null);
    for (let name = 0; name < 80; name += 1) tally.query(work(), `n${name}`, 5000, true);
  }
  const slots = tally.take();
  expect(slots.length).toBeLessThanOrEqual(12);
  expect(Math.max(...slots.map(({ slow }) => slow.length))).toBeLessThanOrEqual(50);
});
