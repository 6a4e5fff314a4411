import { expect, test } from 'vitest';
import { lookAround } from '../../../src/calendar/look.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Look } from '../../../src/resources/planned.ts';

test('what was read before the clock stepped back is not taken for younger than who asks', async () => {
  let [now, revision] = [1_000_000, 1];
  const id = '0195d3a0-0000-7000-8000-000000000001';
  const empty = { branch: null, services: [], staff: [], resources: [], away: [], busy: [] };
  const reads = async () => ({ rows: [[empty]], epoch: 'epoch', revision });
  /** A request of now; of each revision Redis has a state of its own, so that nothing is put together from what is known. */
  const asked = async (): Promise<number> => {
    const ctx = makeCtx(
      'request',
      () => undefined,
      () => now,
    );
    const recall = {
      ...{ ctx, registry: new Map(), since: now, isSure: () => true },
      reading: async (tags: readonly string[]) => ({
        ...{
          epoch: 'epoch',
          incarnation: `life ${revision}`,
          head: revision,
          floor: revision,
          values: tags.map(() => revision),
          at: ctx.now(),
        },
      }),
    };
    const look = Object.assign(reads, { recall }) as unknown as Look;
    const request = { branchId: id, staffId: id, services: [{ serviceId: id }] };
    return (await lookAround(look, id, request, 29_000_000, false)).revision;
  };
  expect(await asked()).toBe(1);
  revision = 2;
  // Who came before that reading began takes what it found; who comes after the step does not.
  expect(await asked()).toBe(1);
  now -= 60_000;
  expect(await asked()).toBe(2);
});
