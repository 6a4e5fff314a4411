import { expect, test } from 'vitest';
import { LOOKED_AFTER_WITHIN } from '../../../src/core/upgrade.ts';
import { LookAfter } from '../../../src/realtime/look-after.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;

test('whoever was let in is looked after soon, also by a ticket of a clock that is ahead', () => {
  const look = new LookAfter();
  look.begin();
  look.end(NOW, true);
  look.letIn(NOW + 300_000, NOW);
  expect(look.next).toBe(NOW + LOOKED_AFTER_WITHIN);
  look.letIn(NOW - 5000, NOW);
  expect(look.next).toBe(NOW + LOOKED_AFTER_WITHIN - 5000);
});

test('then every 50 s, and sooner where the database could not tell', () => {
  const look = new LookAfter();
  expect(look.isDue(NOW)).toBe(true);
  look.begin();
  look.end(NOW, false);
  expect([NOW + 4999, NOW + 5000].map((now) => look.isDue(now))).toEqual([false, true]);
  look.begin();
  look.end(NOW, true);
  expect([NOW + 49_999, NOW + 50_000].map((now) => look.isDue(now))).toEqual([false, true]);
});

test('a clock that steps back an hour lets nobody listen for an hour unseen', () => {
  const look = new LookAfter();
  look.begin();
  look.end(NOW, true);
  expect(look.isDue(NOW - HOUR)).toBe(true);
});

test('what is due at the latest is due now, once a clock has stepped back', () => {
  const look = new LookAfter();
  look.begin();
  look.end(NOW, true);
  expect([NOW, NOW - HOUR].map((now) => look.latest(now))).toEqual([NOW + 50_000, NOW - HOUR]);
  // A room that wakes knows of none that was set.
  expect(new LookAfter().latest(NOW)).toBe(NOW + 50_000);
});
