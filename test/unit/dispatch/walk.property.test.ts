import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Consumer, Handled, Line, Mark } from '../../../src/data/dispatch.ts';
import type { Change } from '../../../src/data/log.ts';
import { Flights } from '../../../src/dispatch/flights.ts';
import { LineStore } from '../../../src/dispatch/line-store.ts';
import { type WalkParts, walkAll } from '../../../src/dispatch/walk.ts';
import { Follower } from '../../../src/realtime/follower.ts';
import { memory } from '../../support/sqlite.ts';

// The walk with everything that may happen to it: refusals, faults of ours, turns that end, objects that are lost.

const EPOCH = '01890a5d-ac96-774b-bcce-b302099a8057';
const HEAD = 40;
const PIECE = 7;
const ENTITIES = ['client', 'invoice'];

const changeOf = (revision: number): Change => ({
  revision,
  entity: ENTITIES[revision % 2] ?? '',
  entityId: '',
  operation: 'INSERT',
  schemaVersion: 1,
  ...{ before: null, after: null, actor: 'SYSTEM', requestId: null, changedAt: '' },
});
const LOG = Array.from({ length: HEAD }, (_, i) => changeOf(i + 1));

/** A turn that waits for everybody. */
const turnOf = () => ({ flights: new Flights(), letGo: new Promise<void>(() => undefined), late: () => undefined });

type Fault = 'refused' | 'stuck' | 'turn' | 'lost' | 'log' | null;

/** One company whose lines are walked by a clock of the test's, until nothing is left. */
async function storm(faults: readonly Fault[], oldest: number) {
  let draw = 0;
  let now = 0;
  let log = true;
  const next = (): Fault => faults[draw++] ?? null;
  const lines = ENTITIES.map(
    (entity): Line => ({
      ...{ name: `test:${entity}`, generation: 0, position: { epoch: EPOCH, revision: 0 }, entities: [entity] },
    }),
  );
  const written = new Map<string, Mark>();
  const taken = new Map<string, number[]>(lines.map(({ name }) => [name, []]));
  const given = new Map<string, Set<number>>(lines.map(({ name }) => [name, new Set()]));
  let store = new LineStore(memory(), () => now);
  let mayGoOn = true;
  const consumer: Consumer = {
    kind: 'test',
    lines: async () => ({ head: { epoch: EPOCH, revision: HEAD }, lines }),
    async handle(_company, { name }, { revision }): Promise<Handled> {
      const report = { durationMs: 1, status: 200, error: null };
      const fault = next();
      if (fault === 'turn') mayGoOn = false;
      if (fault === 'log') log = false;
      if (fault === 'refused') return { kind: 'failed', type: 't', report };
      if (fault === 'stuck') return { kind: 'stuck' };
      taken.get(name)?.push(revision);
      // What was taken is lost with the object, before it is remembered.
      if (fault === 'lost') throw new Error('lost');
      return { kind: 'taken', type: 't', report };
    },
    async keep(_company, marks) {
      for (const mark of marks) written.set(mark.name, mark);
    },
    close: async () => undefined,
  };
  const parts = (): WalkParts => ({
    ...{ companyId: 'c', consumer, memory: store, pacing: { unit: 5000, random: () => 0.5 } },
    now: () => now,
    mayGoOn: () => mayGoOn,
    log: {
      async after({ revision }, entities) {
        if (!log) {
          log = true;
          throw new Error('the log is away');
        }
        const changes = LOG.filter((change) => change.revision > revision && entities.includes(change.entity));
        const kept = changes.filter((change) => change.revision >= oldest);
        return { head: { epoch: EPOCH, revision: HEAD }, oldest, changes: kept.slice(0, PIECE) };
      },
      renumbered: async () => null,
    },
  });
  for (let turn = 0; turn < 500; turn += 1) {
    mayGoOn = true;
    store.reconcile(lines.map((line) => ({ ...line, position: written.get(line.name)?.position ?? line.position })));
    try {
      const endings = await walkAll(lines, parts, turnOf());
      if ([...endings.values()].every((ending) => ending === 'head')) break;
    } catch (error) {
      if ((error as Error).message === 'lost') store = new LineStore(memory(), () => now);
    }
    if (turn % 3 === 0) await consumer.keep('c', store.moved());
    for (const { name } of lines)
      for (const { outcome, revision } of store.attempts({ name, before: null, limit: 5000, outcomes: null }))
        if (outcome === 'DEAD') given.get(name)?.add(revision);
    now += 3_600_000;
  }
  return { lines, taken, given, store };
}

const fault = fc.constantFrom<Fault>('refused', 'stuck', 'turn', 'lost', 'log', null, null, null, null, null);

test('each line takes every change of its own, in order, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 120 }), fc.integer({ min: 0, max: 12 }), async (faults, oldest) => {
      const { lines, taken, given } = await storm(faults, oldest);
      for (const { name, entities } of lines) {
        const all = taken.get(name) ?? [];
        const firsts = all.filter((revision, n) => !all.slice(0, n).includes(revision));
        const wanted = LOG.filter(
          ({ revision, entity }) => revision >= oldest && entities.includes(entity) && !given.get(name)?.has(revision),
        ).map(({ revision }) => revision);
        expect(firsts.filter((revision) => !given.get(name)?.has(revision))).toEqual(wanted);
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
      }
    }),
    { numRuns: 150 },
  );
});

test('what is no longer kept is noted once for each line', async () => {
  const { lines, store } = await storm([], 9);
  for (const { name } of lines)
    expect(store.attempts({ name, before: null, limit: 10, outcomes: ['SKIPPED'] })).toMatchObject([
      { revision: 8, from: 1, error: 'log_trimmed' },
    ]);
});

test('of each line the last thousand attempts are kept', () => {
  const store = new LineStore(memory(), () => 0);
  for (let revision = 1; revision <= 2500; revision += 1)
    for (const name of ['a', 'b'])
      store.note(name, {
        ...{ revision, from: null, type: 't', outcome: 'DELIVERED', attempt: 1, at: 0, nextAt: null },
        ...{ durationMs: 1, status: 200, error: null },
      });
  for (const name of ['a', 'b']) {
    const kept = store.attempts({ name, before: null, limit: 5000, outcomes: null });
    expect(kept.length).toBeGreaterThanOrEqual(1000);
    expect(kept.length).toBeLessThan(1300);
    expect(kept[0]?.revision).toBe(2500);
  }
});

test('a room calls who follows once, when the company goes on by what is wanted or by what it has not seen', () => {
  const at = (revision: number) => ({ epoch: EPOCH, revision });
  const sql = memory();
  const follower = new Follower(sql);
  expect(follower.reached(at(5), null)).toBe(false);
  expect(follower.follow(at(5), ['client'], at(6))).toBe(true);
  expect(follower.follow(at(6), ['client'], at(6))).toBe(false);
  expect(follower.reached(at(6), null)).toBe(false);
  expect(follower.reached(at(7), [changeOf(7)])).toBe(false);
  // A room that was evicted meanwhile knows it still.
  const woken = new Follower(sql);
  expect(woken.reached(at(8), [changeOf(8)])).toBe(true);
  expect(woken.reached(at(10), [changeOf(10)])).toBe(false);
  expect(woken.follow(at(10), ['client'], at(10))).toBe(false);
  expect(woken.reached(at(11), null)).toBe(true);
});
