import { expect, it } from 'vitest';
import { type Accidents, ALL, explore } from './set-back-model.ts';

// The deep exploration of the same, and what becomes of it without each watcher, is test/unit/cache/set-back-model.long.test.ts.
it.each<[string, Accidents]>([
  ['is set back', { back: true, beats: 1 }],
  ['is set back under the eyes of an isolate', { back: true, reader: true, beats: 1 }],
  ['is lost', { loss: true }],
  ['refuses writes', { refusal: true, reader: true }],
])(
  'nobody is shown the past for good when Redis %s',
  (_, accidents) => {
    const { states, ...faults } = explore(ALL, accidents);
    expect(states).toBeGreaterThan(1000);
    expect(faults).toEqual({ stale: 0, believed: 0, wentBack: 0, example: '' });
  },
  60_000,
);
