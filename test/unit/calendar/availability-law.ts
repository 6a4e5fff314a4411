import fc from 'fast-check';
import { expect } from 'vitest';
import { freeStarts } from '../../../src/calendar/availability.ts';
import { dayOf } from '../../../src/core/civil.ts';
import { offsetsOf } from '../../../src/core/offsets.ts';
import { Model } from './model.ts';
import { questionIn, questions, type World, worlds } from './worlds.ts';

/** What is counted, so that a law is not kept by never saying anything. */
export type Counts = { cases: number; steps: number; offered: number };

/** Every start that is offered can be booked by the model, and every other step of the grid cannot: five questions a world. */
export async function availabilityIsExact(cases: number): Promise<Counts> {
  const counts: Counts = { cases: 0, steps: 0, offered: 0 };
  await fc.assert(
    fc.asyncProperty(worlds, questions, async (world, others) => {
      const day = dayOf(world.from) * 1440;
      const offsets = offsetsOf(world.branch.timeZone, day, day + 3 * 1440);
      let model: Model | undefined;
      for (const asked of [world, ...others.map((each) => ({ ...world, ...each, now: world.now + each.now }))]) {
        model = new Model(asked, model);
        const free = freeStarts(questionIn(asked, offsets));
        agree(asked, model, free, counts);
        counts.cases += 1;
      }
    }),
    { numRuns: Math.ceil(cases / 5) },
  );
  return counts;
}

function agree(world: World, model: Model, free: ReturnType<typeof freeStarts>, counts: Counts): void {
  const members = world.staff.filter((member) => model.works(member, world.services));
  expect(free.map(({ staffId }) => staffId)).toEqual(members.map(({ id }) => id));
  const isOffered = model.offers();
  for (const member of members) {
    const lines = world.services.map((service) => ({ service, member }));
    const grid = model.grid(member);
    const expected = grid.filter((start) => isOffered(start) && model.bookable(start, lines));
    const starts = free.find(({ staffId }) => staffId === member.id)?.starts;
    // Equal texts need no comparison that could tell how they differ.
    if (String(starts) !== String(expected)) expect(starts).toEqual(expected);
    counts.steps += grid.length;
    counts.offered += expected.length;
  }
}
