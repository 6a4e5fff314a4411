import { expect, it } from 'vitest';
import { availabilityIsExact } from './availability-law.ts';
import { workIsJudgedExactly } from './work-law.ts';

it('every start that is offered can be booked, and no other step of the grid, 100,000 times', async () => {
  const counts = await availabilityIsExact(100_000);
  expect(counts.offered).toBeGreaterThan(5 * counts.cases);
});

it('parts by different people are judged and swept alike, 20,000 times', async () => {
  const { judged, free } = await workIsJudgedExactly(20_000);
  expect(judged).toBeGreaterThan(2 * free);
});
