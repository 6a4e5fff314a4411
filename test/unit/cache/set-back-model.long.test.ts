import { expect, it } from 'vitest';
import { type Accidents, ALL, explore, type Watchers } from './set-back-model.ts';

it.each<[string, Accidents]>([
  ['is set back', { back: true, writes: 3, beats: 3 }],
  ['is set back under the eyes of an isolate', { back: true, reader: true }],
  ['is set back and refuses writes', { back: true, refusal: true }],
  ['is lost and refuses writes', { loss: true, refusal: true, reader: true }],
  ['is set back and lost', { back: true, loss: true }],
])('nobody is shown the past for good when Redis %s', (name, accidents) => {
  const { states, ...faults } = explore(ALL, accidents);
  console.log(`${name}: ${states} states`);
  expect(faults).toEqual({ stale: 0, believed: 0, wentBack: 0, example: '' });
});

it.each<[keyof Watchers, Accidents, 'stale' | 'believed' | 'wentBack']>([
  ['looks', { back: true }, 'stale'],
  ['marks', { back: true }, 'stale'],
  ['beats', { back: true }, 'believed'],
  ['floor', { back: true, reader: true, beats: 1 }, 'wentBack'],
  ['refusals', { refusal: true }, 'believed'],
])(
  'without %s there is a fault',
  (watcher, accidents, fault) => {
    expect(explore({ ...ALL, [watcher]: false }, accidents, fault)[fault]).toBeGreaterThan(0);
  },
  60_000,
);
