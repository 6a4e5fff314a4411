import { describe, expect, it } from 'vitest';
import { explore, type Verdict } from './model.ts';
import { type Accidents, RIGHT } from './model-world.ts';

// All of it at once, and what becomes of the design without each of its rules, is test/unit/cache/model.long.test.ts.

const holds: [string, Accidents][] = [
  ['nothing goes wrong', {}],
  ['a writer dies before it announces', { crash: true }],
  ['the filler reads a lagging replica', { lag: true }],
  ['the filler announces its snapshot', { seed: true }],
  ['Redis loses the state while all is quiet', { loss: 'quiet' }],
  ['Redis loses the state at any point', { loss: 'any' }],
  ['Redis loses the state at any point and the filler announces its snapshot', { loss: 'any', seed: true }],
  ['the database is restored and reuses numbers', { restore: true }],
];

/** The right design, explored once per set of accidents. */
const verdicts = new Map<string, Verdict>();
function right(accidents: Accidents): Verdict {
  const name = JSON.stringify(accidents);
  const verdict = verdicts.get(name) ?? explore(RIGHT, accidents);
  verdicts.set(name, verdict);
  return verdict;
}

describe('the four rules hold in every reachable state', () => {
  it.each(holds)(
    'when %s',
    (_, accidents) => {
      const verdict = right(accidents);
      expect(verdict.states).toBeGreaterThan(1500);
      expect(verdict).toMatchObject({
        staleForEver: 0,
        wrong304ForEver: 0,
        twoBodies: 0,
        readYourWrites: 0,
        example: '',
      });
    },
    30_000,
  );

  it.each(holds.filter(([, { crash, restore, lag, loss }]) => !crash && !restore && !(lag && loss)))(
    'without waiting for the sweep when %s',
    (_, accidents) => expect(right(accidents)).toMatchObject({ staleUnswept: 0, wrong304Unswept: 0 }),
  );

  it('with the revision read before the rows, too: a number too old only costs a refill', () => {
    const verdict = explore({ ...RIGHT, fill: 'revision, then data' }, { loss: 'any', crash: true });
    expect(verdict).toMatchObject({ staleForEver: 0, readYourWrites: 0 });
  });

  it.each<[string, Accidents]>([
    ['a writer dies: nobody else knows of its commit', { crash: true }],
    ['the database is restored: nobody announces the new epoch', { restore: true }],
    [
      'a replica lags AND Redis loses the state: what the replica lacks was announced to the lost state only, though the new one was read before the snapshot',
      { lag: true, loss: 'any' },
    ],
  ])('but need the sweep when %s', (_, accidents) => {
    const { staleUnswept, wrong304Unswept } = right(accidents);
    expect(staleUnswept).toBeGreaterThan(0);
    expect(wrong304Unswept).toBeGreaterThan(0);
  });
});
