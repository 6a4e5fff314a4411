import fc from 'fast-check';
import { expect } from 'vitest';
import { freeStarts } from '../../../src/calendar/availability.ts';
import { dayOf } from '../../../src/core/civil.ts';
import { offsetsOf } from '../../../src/core/offsets.ts';
import { Model } from './model.ts';
import { worlds } from './worlds.ts';

/** What is counted, so that a law is not kept by never saying anything. */
export type Counts = { worlds: number; steps: number; offered: number };

/** Every start that is offered can be booked by the model, and every other step of the grid cannot. */
export async function availabilityIsExact(numRuns: number): Promise<Counts> {
  const counts: Counts = { worlds: 0, steps: 0, offered: 0 };
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const day = dayOf(world.from) * 1440;
      const offsets = await offsetsOf(world.branch.timeZone, day, day + 3 * 1440);
      const model = new Model(world);
      const members = world.staff.filter((member) => model.works(member, world.services));
      const free = freeStarts({ ...world, offsets });
      expect(free.map(({ staffId }) => staffId)).toEqual(members.map(({ id }) => id));
      for (const member of members) {
        const lines = world.services.map((service) => ({ service, member }));
        const grid = model.grid(member);
        const expected = grid.filter((start) => model.offered(start) && model.bookable(start, lines));
        const starts = free.find(({ staffId }) => staffId === member.id)?.starts;
        // Equal texts need no comparison that could tell how they differ.
        if (String(starts) !== String(expected)) expect(starts).toEqual(expected);
        counts.steps += grid.length;
        counts.offered += expected.length;
      }
      counts.worlds += 1;
    }),
    { numRuns },
  );
  return counts;
}
