import { describe, expect, it } from 'vitest';
import { explore } from './model.ts';
import { type Accidents, type Design, RIGHT } from './model-world.ts';

describe('each rule is needed', () => {
  it.each<[string, Partial<Design>, Accidents]>([
    ['R1 a sequence numbers the writes', { revision: 'sequence' }, {}],
    ['R2 the revision is read after the rows', { fill: 'data, then revision' }, {}],
    [
      'R2 rows of a replica get the revision of the primary',
      { fill: 'data of a replica, revision of the primary' },
      { lag: true },
    ],
    ['R3 announcing takes maxima and an announcement is lost', { announcing: 'plain max' }, { crash: true }],
    ['the epoch is ignored and the database restored', { epochs: 'ignored' }, { restore: true }],
  ])('%s: stale for ever and no read-your-writes', (_, broken, accidents) => {
    const verdict = explore({ ...RIGHT, ...broken }, accidents);
    expect(verdict.staleForEver).toBeGreaterThan(0);
    expect(verdict.readYourWrites).toBeGreaterThan(0);
  });

  it.each<[string, Partial<Design>]>([
    ['R3 announcing takes maxima', { announcing: 'plain max' }],
    ['R4 a writer announces before it commits', { publish: 'before commit' }],
  ])('%s: no read-your-writes, though nothing is lost', (_, broken) => {
    expect(explore({ ...RIGHT, ...broken }, {}).readYourWrites).toBeGreaterThan(0);
  });

  it.each<[string, Partial<Design>]>([
    ['no incarnation', { incarnations: 'ignored' }],
    [
      'the incarnation is read after the snapshot, as when a shared computation is joined',
      { incarnations: 'read after the snapshot' },
    ],
  ])(
    '%s: stale until the sweep when Redis loses a newer announcement than the one that starts it over',
    (_, broken) => {
      expect(explore({ ...RIGHT, ...broken }, {}).staleUnswept).toBe(0);
      expect(explore({ ...RIGHT, ...broken }, { loss: 'any' }).staleUnswept).toBeGreaterThan(0);
    },
  );

  // Entries are safe then; but whoever holds the older body is told by the state begun again that it still stands.
  it('no incarnation in the ETag: a wrong 304 until the sweep when Redis loses the state', () => {
    const verdict = explore({ ...RIGHT, etag: 'names none' }, { loss: 'any' });
    expect(verdict).toMatchObject({ staleUnswept: 0, twoBodies: 0 });
    expect(verdict.wrong304Unswept).toBeGreaterThan(0);
  });

  it('R3 missing state counts as 0: stale until something else announces', () => {
    expect(explore({ ...RIGHT, missing: 'zero' }, { loss: 'quiet' }).staleUnswept).toBeGreaterThan(0);
  });
});

it('the four rules hold in every reachable state when everything goes wrong at once', () => {
  const verdict = explore(RIGHT, { loss: 'any', crash: true, lag: true, restore: true, seed: true });
  expect(verdict.states).toBeGreaterThan(1500);
  expect(verdict).toMatchObject({
    ...{ staleForEver: 0, wrong304ForEver: 0, twoBodies: 0 },
    ...{ readYourWrites: 0, example: '' },
  });
});
