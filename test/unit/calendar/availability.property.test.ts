import { expect, it } from 'vitest';
import { availabilityIsExact } from './availability-law.ts';

it('every start that is offered can be booked, and no other step of the grid', { timeout: 60_000 }, async () => {
  const counts = await availabilityIsExact(2000);
  expect(counts.offered).toBeGreaterThan(5 * counts.worlds);
  expect(counts.steps).toBeGreaterThan(2 * counts.offered);
});
