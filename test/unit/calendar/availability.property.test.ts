import { expect, inject, it } from 'vitest';
import { availabilityIsExact } from './availability-law.ts';
import { workIsJudgedExactly } from './work-law.ts';

it('every start that is offered can be booked, and no other step of the grid', async () => {
  const counts = await availabilityIsExact(inject('thorough') ? 10_000 : 1500);
  expect(counts.offered).toBeGreaterThan(5 * counts.cases);
  expect(counts.steps).toBeGreaterThan(2 * counts.offered);
});

it('parts by different people are judged and swept alike', async () => {
  const { judged, free } = await workIsJudgedExactly(500);
  expect(free).toBeGreaterThan(500);
  // Some are refused, too.
  expect(judged).toBeGreaterThan(free + 500);
});
