import fc from 'fast-check';
import { expect } from 'vitest';
import { freeStartsOfWork } from '../../../src/calendar/availability.ts';
import { type Catalogue, planWork } from '../../../src/calendar/booking.ts';
import { judgeStart } from '../../../src/calendar/presence.ts';
import { dayOf } from '../../../src/core/civil.ts';
import { offsetsOf } from '../../../src/core/offsets.ts';
import { Model } from './model.ts';
import { questionIn, type World, worlds } from './worlds.ts';

export const catalogueOf = (world: World): Catalogue & { branch: World['branch'] } => ({
  revision: 7,
  branch: world.branch,
  services: new Map(world.services.map((service) => [service.id, service])),
  staff: new Map(world.staff.map((member) => [member.id, member])),
  resources: world.resources,
  timeOff: world.timeOff,
});

/** Parts done by different people: judged one by one and swept alike, both as the model finds by trying. */
export async function workIsJudgedExactly(numRuns: number): Promise<{ judged: number; free: number }> {
  const counts = { judged: 0, free: 0 };
  const hands = fc.array(fc.constantFrom(0, 1), { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(worlds, hands, fc.array(fc.nat(1400), { maxLength: 10 }), async (anywhere, choice, others) => {
      const world = { ...anywhere, staff: anywhere.staff.map((each) => ({ ...each, branchIds: ['here'] })) };
      const day = dayOf(world.from) * 1440;
      const offsets = offsetsOf(world.branch.timeZone, day, day + 3 * 1440);
      const model = new Model(world);
      const lines = world.services.map((service, i) => ({ service, member: world.staff[choice[i] ?? 0] }));
      const named = lines.map(({ service, member }) => ({ serviceId: service.id, staffId: member?.id }));
      const catalogue = catalogueOf(world);
      // Nothing can be planned where the branch has not enough of a kind; the other law covers that none is offered then.
      const enough = model.needs.every(
        ([kind, needed]) => world.resources.filter((each) => each.isActive && each.kind === kind).length >= needed,
      );
      if (!enough) return;
      const work = planWork(catalogue, { branchId: 'here', services: named });
      const isBookable = (start: number) =>
        model.bookable(
          start,
          lines.flatMap(({ service, member }) => (member === undefined ? [] : { service, member })),
        );
      const isOffered = model.offers();
      const beginner = lines[0]?.member;
      const grid = beginner === undefined ? [] : model.grid(beginner);
      for (const start of [...grid, ...others.map((each) => model.first + each)]) {
        const { absent, taken } = judgeStart(catalogue, offsets, work, start, world.busy);
        const isFree = absent.length + taken.length === 0;
        if (isFree !== isBookable(start)) expect({ start, absent, taken }).toBe(isFree ? 'refused' : 'bookable');
        counts.judged += 1;
      }
      const expected = grid.filter((start) => isOffered(start) && isBookable(start));
      const swept = freeStartsOfWork(questionIn(world, offsets), work);
      if (String(swept) !== String(expected)) expect(swept).toEqual(expected);
      counts.free += expected.length;
    }),
    { numRuns },
  );
  return counts;
}
