import { expect, test } from 'vitest';
import type { Consumer, Handled, Line } from '../../../src/data/dispatch.ts';
import { Flights } from '../../../src/dispatch/flights.ts';
import { begin, type Standing } from '../../../src/dispatch/standing.ts';
import { type Ending, type WalkParts, walkAll } from '../../../src/dispatch/walk.ts';

// Receivers that hang beside one that does not: time is what the test says it is.

const EPOCH = '01890a5d-ac96-774b-bcce-b302099a8057';
const lineOf = (name: string): Line => ({
  ...{ name, generation: 0, position: { epoch: EPOCH, revision: 0 }, entities: ['client'] },
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A dispatcher whose log has one change more each time `goOn` is called, and whose turns end when somebody calls. */
function dispatcher(names: readonly string[]) {
  const lines = names.map(lineOf);
  const standings = new Map<string, Standing>(lines.map(({ name, position }) => [name, begin(position, 0)]));
  const hanging = new Map<string, (handled: Handled) => void>();
  const taken: string[] = [];
  const flights = new Flights();
  let head = 0;
  let now = 0;
  let late = 0;
  const report = { durationMs: 1, status: 200, error: null };
  const consumer: Consumer = {
    kind: 'test',
    lines: async () => ({ head: { epoch: EPOCH, revision: head }, lines }),
    handle: (_company, { name }, { revision }) => {
      if (name.startsWith('slow')) return new Promise((resolve) => hanging.set(name, resolve));
      taken.push(`${name} ${revision}`);
      return Promise.resolve<Handled>({ kind: 'taken', type: 't', report });
    },
    keep: async () => undefined,
    close: async () => undefined,
  };
  const parts: WalkParts = {
    ...{ companyId: 'c', consumer, pacing: { unit: 5000, random: () => 0.5 }, now: () => now, mayGoOn: () => true },
    memory: {
      standing: (name) => standings.get(name) ?? null,
      put: (name, standing) => standings.set(name, standing),
      note: () => undefined,
    },
    log: {
      after: async ({ revision }) => ({
        head: { epoch: EPOCH, revision: head },
        oldest: 1,
        changes: Array.from({ length: head - revision }, (_, i) => ({
          ...{ revision: revision + i + 1, entity: 'client', entityId: '', operation: 'INSERT', schemaVersion: 1 },
          ...{ before: null, after: null, actor: 'SYSTEM', requestId: null, changedAt: '' },
        })),
      }),
      renumbered: async () => null,
    },
  };
  return {
    taken,
    hanging,
    late: () => late,
    goOn: () => {
      head += 1;
      // Beyond every pause between attempts.
      now += 40_000_000;
    },
    /** A turn that somebody calls into as soon as nothing else can happen. */
    async turn(): Promise<ReadonlyMap<string, Ending>> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const free = lines.filter(({ name }) => !flights.has(name));
      const walk = walkAll(free, () => parts, { flights, letGo: promise, late: () => (late += 1) });
      await settled();
      resolve();
      return walk;
    },
  };
}

test('a receiver that takes what it is sent waits for none that hang, however many they are', async () => {
  const { turn, goOn, taken, hanging, late } = dispatcher(['good', 'slow 1', 'slow 2', 'slow 3', 'slow 4', 'slow 5']);
  await turn();
  // Who has taken something before goes first, and keeps a place.
  for (let n = 1; n <= 3; n += 1) {
    goOn();
    const endings = await turn();
    expect(endings.get('good')).toBe('head');
    expect(taken).toHaveLength(n);
  }
  expect(hanging.size).toBe(3);
  // One that is through at last is looked at in another turn, which somebody has to ask for.
  expect(late()).toBe(0);
  hanging.get('slow 1')?.({ kind: 'failed', type: 't', report: { durationMs: 1, status: null, error: 'timeout' } });
  await settled();
  expect(late()).toBe(1);
});

test('those that fail leave a place to one nobody has sent anything', async () => {
  const { turn, goOn, taken, hanging } = dispatcher(['slow 1', 'slow 2', 'slow 3', 'new']);
  const fail: Handled = { kind: 'failed', type: 't', report: { durationMs: 1, status: null, error: 'timeout' } };
  goOn();
  for (let n = 0; n < 4; n += 1) {
    await turn();
    for (const [name, resolve] of [...hanging]) {
      hanging.delete(name);
      resolve(fail);
    }
    await settled();
    goOn();
  }
  expect(taken.length).toBeGreaterThan(0);
  const before = taken.length;
  await turn();
  expect(hanging.size).toBe(2);
  expect(taken.length).toBeGreaterThan(before);
});
