import { expect, test, vi } from 'vitest';
import { exampleSettings } from '../../../local/stack.ts';
import { type Env, jobsOf } from '../../../src/env.ts';
import { depsOf } from '../../../src/objects.ts';
import { loadSettings } from '../../../src/settings.ts';

// What the runtime has and Node has not.
vi.mock('cloudflare:workers', () => ({ DurableObject: class {} }));

/** Where each kind of object is asked to be, under this setting. */
function asked(hint: Record<string, string>): Record<string, unknown> {
  const at: Record<string, unknown> = {};
  const objects = (kind: string) => ({
    idFromName: () => ({}),
    get(_id: unknown, options: unknown) {
      at[kind] = options;
      return {};
    },
  });
  const kinds = ['ROOMS', 'WATCH', 'JOBS', 'DISPATCHERS', 'MONITOR'];
  const bindings = Object.fromEntries(kinds.map((kind) => [kind, objects(kind)]));
  const env = { ...exampleSettings(), ...hint, ...bindings } as unknown as Env;
  const { rooms, watch, dispatchers, monitor } = depsOf(env);
  rooms('c');
  watch();
  dispatchers('c');
  monitor();
  jobsOf(env, loadSettings(env), 'c');
  return at;
}

test('objects are first put where the setting says, and where they are first called without it', () => {
  const near = { locationHint: 'apac' };
  const all = { ROOMS: near, WATCH: near, JOBS: near, DISPATCHERS: near, MONITOR: near };
  expect(asked({ ROOM_LOCATION_HINT: 'apac' })).toEqual(all);
  expect(asked({})).toEqual({ ROOMS: {}, WATCH: {}, JOBS: {}, DISPATCHERS: {}, MONITOR: {} });
  expect(() => asked({ ROOM_LOCATION_HINT: 'vienna' })).toThrow('ROOM_LOCATION_HINT');
});
