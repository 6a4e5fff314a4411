import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MOST_FOLLOWED } from '../../../src/data/live-list.ts';
import type { Member } from '../../../src/realtime/hub/member.ts';
import { randomOf } from './hub-storm.ts';
import type { Socket } from './hub-world.ts';
import { type Luck, luckOf, newRow, uuidFrom } from './list-rows.ts';
import { COMPANY, ListWorld } from './list-world.ts';

// What a room says of lists, frame by frame; under faults: lists.property.test.ts.

type Frame = { type: string; [member: string]: unknown };

let luck: Luck;
let world: ListWorld;
beforeEach(() => {
  luck = luckOf(randomOf(7));
  world = new ListWorld(luck);
});

/** A connection that follows these lists and writes down what it is told. */
class Follower {
  readonly frames: Frame[] = [];
  readonly socket: Socket;
  readonly #paths: readonly string[];

  constructor(paths: readonly string[], member: Partial<Member> = {}) {
    this.#paths = paths;
    const whole = { company: COMPANY, actor: 'USER:1', grant: { role: 'OWNER' }, ...member };
    this.socket = world.hub.open(
      whole,
      (text) => void this.frames.push(JSON.parse(text) as Frame),
      () => undefined,
    );
  }

  /** Asks, and nothing that is read for it is answered. */
  ask(more: object = {}): Promise<void> {
    const queries = this.#paths.map((path, n) => ({ id: `l${n}`, path }));
    const command = { type: 'subscribe', id: 1, companyId: COMPANY, topics: [], queries, ...more };
    return world.hub.hub.hear(this.socket, JSON.stringify(command));
  }

  async subscribe(more: object = {}): Promise<Frame | undefined> {
    const work = this.ask(more);
    await answers();
    await work;
    return this.frames.at(-1);
  }

  /** What its lists were told, frame by frame. */
  lists(): unknown[] {
    return this.frames.filter(({ type }) => type === 'batch_update').map(({ lists }) => lists ?? []);
  }
}

let reads = 0;
/** Whatever is asked is answered. */
async function answers(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await world.hub.answerAll();
    await answer();
  }
}

/** The next read of the log is answered, and all of lists. */
async function answer(): Promise<void> {
  const asked = world.hub.asked.shift();
  if (asked !== undefined) world.hub.see(asked);
  if (asked?.page != null) asked.answer(asked.page);
  for (const counting of world.hub.counting.splice(0)) {
    reads += 1;
    world.hub.count(counting);
    if (counting.counts !== null) counting.answer(counting.counts);
  }
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

/** A client as it is then; what was written leaves. */
async function put(n: number, row: object | null): Promise<void> {
  const id = uuidFrom(5, n);
  const before = world.at(world.hub.log.length).client.get(id);
  const after =
    row === null ? null : { ...(before ?? { ...newRow(luck, 'client', id), status: 'ACTIVE', tags: [] }), ...row };
  const change = world.write('client', id, after);
  world.hub.hub.published(world.hub.head(), [change]);
  world.hub.pass(200);
  await answers();
}

describe('a list', () => {
  test('is told what enters, changes and leaves, and nothing of what is not its own', async () => {
    const follower = new Follower([
      '/clients?tag=vip&fields=id,lastName&sort=lastName',
      '/api/v1/appointments?limit=3',
    ]);
    expect(await follower.subscribe()).toMatchObject({ type: 'subscribed', topics: [], revision: 0 });
    const at = '2026-03-01T10:00:00+00:00';
    await put(1, { tags: ['vip'], last_name: 'A', created_at: at });
    await put(1, { last_name: 'B' });
    await put(2, {});
    await put(1, { tags: [] });
    const id = 'clnt_01j000a000e008000000000001';
    const said = (more: object) => ({ enter: [], update: [], leave: [], ...more });
    expect(follower.lists()).toEqual([
      [{ id: 'l0', revision: 1, ...said({ enter: [{ id, lastName: 'A' }] }) }],
      [{ id: 'l0', revision: 2, ...said({ update: [{ id, lastName: 'B' }] }) }],
      [],
      [{ id: 'l0', revision: 4, ...said({ leave: [id] }) }],
    ]);
  });

  test('of which several are told is read once, and again only when its last follower has gone', async () => {
    reads = 0;
    const first = new Follower(['/clients']);
    await first.subscribe();
    const second = new Follower(['/clients'], { session: 'y', actor: 'USER:2', grant: { role: 'STAFF' } });
    await second.subscribe();
    await put(1, {});
    expect([reads, first.lists(), second.lists()]).toEqual([1, second.lists(), first.lists()]);
    world.hub.sockets.delete(first.socket);
    world.hub.sockets.delete(second.socket);
    await put(2, {});
    await new Follower(['/clients']).subscribe();
    expect(reads).toBe(2);
  });

  test('is known again after a sleep, without a read', async () => {
    reads = 0;
    const follower = new Follower(['/clients?limit=1&sort=name']);
    await follower.subscribe();
    await put(1, { name: 'B' });
    world.hub.pass(2000);
    await put(2, { name: 'C' });
    expect(world.hub.isQuiet()).toBe(false);
    world.hub.pass(2000);
    expect(world.hub.isQuiet()).toBe(true);
    world.hub.hibernate();
    await put(3, { name: 'A' });
    expect(follower.lists().at(-1)).toMatchObject([
      { enter: [{ name: 'A' }], update: [], leave: [expect.any(String)] },
    ]);
    expect(reads).toBe(1);
  });

  test('is known after a sleep with what moved behind its page, and after an erasure that does not touch it', async () => {
    const follower = new Follower(['/clients?limit=1&sort=name', '/appointments']);
    await follower.subscribe();
    await put(1, { name: 'A' });
    await put(2, { name: 'B' });
    const sleep = async (): Promise<void> => {
      world.hub.pass(2000);
      await answers();
      world.hub.hibernate();
    };
    await sleep();
    await put(2, { name: 'D' });
    await sleep();
    await put(1, { name: 'C' });
    expect(follower.lists().at(-1)).toMatchObject([{ id: 'l0', update: [{ name: 'C' }] }]);
    await put(2, { status: 'ARCHIVED', erased_at: '2026-03-04T10:00:00+00:00' });
    await sleep();
    const id = uuidFrom(5, 9);
    const booked = world.write('appointment', id, { ...newRow(luck, 'appointment', id), status: 'PENDING' });
    world.hub.hub.published(world.hub.head(), [booked]);
    expect(follower.lists().at(-1)).toMatchObject([{ id: 'l1', enter: [{ status: 'PENDING' }] }]);
  });

  test('that has grown beyond what is remembered only says that it has changed, and is read no more', async () => {
    const follower = new Follower(['/clients?limit=100']);
    await follower.subscribe();
    for (let n = 0; n < MOST_FOLLOWED; n += 1)
      world.write('client', uuidFrom(6, n), { ...newRow(luck, 'client', uuidFrom(6, n)), status: 'ACTIVE' });
    world.hub.hub.published(world.hub.head(), []);
    for (let n = 0; n < 20; n += 1) {
      world.hub.pass(200);
      await answers();
    }
    await put(1, {});
    reads = 0;
    for (let n = 0; n < 3; n += 1) {
      world.hub.pass(5000);
      await put(1, { notes: `${n}` });
      expect(follower.lists().at(-1)).toMatchObject([{ changed: true }]);
    }
    expect(reads).toBeLessThan(2);
    expect(await new Follower(['/clients?limit=100'], { session: 'y' }).subscribe()).toMatchObject({
      code: 'query_too_large',
    });
  });

  test('whose rows are not known has changed with an erasure, which blanks what was before', async () => {
    await put(1, { tags: ['vip'] });
    const follower = new Follower(['/clients?tag=vip']);
    await follower.subscribe();
    world.hub.hibernate();
    world.erase();
    world.hub.hub.published(world.hub.head(), []);
    for (let n = 0; n < 5; n += 1) {
      world.hub.pass(200);
      await answers();
    }
    expect(follower.lists().at(-1)).toEqual([{ id: 'l0', revision: 2, changed: true }]);
  });
});

test('a right that is lost or given back without a change of the log is told with the next frame', async () => {
  const follower = new Follower(['/payments', '/clients']);
  await follower.subscribe();
  const { hub } = world.hub;
  hub.regrant(follower.socket, { role: 'STAFF' });
  await put(1, {});
  expect(follower.lists().at(-1)).toMatchObject([
    { id: 'l0', changed: true },
    { id: 'l1', enter: [{}] },
  ]);
  await put(1, { notes: 'x' });
  expect(follower.lists().at(-1)).toMatchObject([{ id: 'l1', update: [{}] }]);
  hub.regrant(follower.socket, { role: 'OWNER' });
  await put(1, { notes: 'y' });
  expect(follower.lists().at(-1)).toMatchObject([
    { id: 'l0', changed: true },
    { id: 'l1', update: [{}] },
  ]);
});

describe('a right that is lost', () => {
  const user = uuidFrom(7, 0);
  const rank = (role: string) => world.write('user', user, { ...newRow(luck, 'user', user), role, status: 'ACTIVE' });
  const pay = (n: number) => world.write('payment', uuidFrom(5, n), newRow(luck, 'payment', uuidFrom(5, n)));
  const changed = (revision: unknown) => [{ id: 'l0', revision, changed: true }];

  // What is loaded meanwhile may be newer than such a frame, which says nothing then; the last one never is older.
  test('while the log is walked is told with each page, up to where the room is', async () => {
    const { hub } = world;
    rank('OWNER');
    for (let n = 1; n < 120; n += 1) pay(n);
    const follower = new Follower(['/payments'], { actor: `USER:${user}` });
    const work = follower.ask({ resume: { epoch: hub.epoch, revision: 0 } });
    while (follower.lists().length === 0) await answer();
    const changes = [rank('STAFF')];
    hub.hub.published(hub.head(), changes);
    await answers();
    await work;
    expect(follower.lists()).toEqual([50, 100, 121].map(changed));
  });

  test('in one of the frames that leave together is told with each of them', async () => {
    rank('OWNER');
    const follower = new Follower(['/payments'], { actor: `USER:${user}` });
    await follower.subscribe();
    const changes = [...Array.from({ length: 200 }, (_, n) => pay(n)), rank('STAFF')];
    world.hub.hub.published(world.hub.head(), changes);
    const frames = follower.frames.filter(({ type }) => type === 'batch_update');
    expect(frames.length).toBeGreaterThan(1);
    expect(frames.map(({ lists }) => lists)).toEqual(frames.map(({ revision }) => changed(revision)));
  });
});

test('a subscription whose catching up failed gets nothing more, not even after a sleep', async () => {
  const { hub } = world;
  const follower = new Follower(['/clients']);
  await follower.subscribe();
  await put(1, {});
  hub.emptyRing();
  const work = follower.ask({ id: 2, resume: { epoch: hub.epoch, revision: 0 } });
  await vi.waitFor(() => expect(hub.asked).toHaveLength(1));
  hub.asked.shift()?.fail(new Error('down'));
  await work;
  expect(follower.frames.at(-1)).toMatchObject({ type: 'error', id: 2, code: 'unavailable' });
  hub.hibernate();
  await put(2, {});
  expect(follower.frames.at(-1)).toMatchObject({ type: 'error' });
});

test('of a subscription with one bad list nothing is followed, and the earlier one stays', async () => {
  const follower = new Follower(['/clients']);
  await follower.subscribe();
  expect(
    await follower.subscribe({
      id: 2,
      queries: [
        { id: 'a', path: '/clients' },
        { id: 'b', path: '/clients?page=2' },
      ],
    }),
  ).toMatchObject({
    ...{ type: 'error', id: 2, code: 'unknown_query', temporary: false },
    message: expect.stringMatching(/^queries: b: /),
  });
  await put(1, {});
  expect(follower.lists().at(-1)).toMatchObject([{ id: 'l0', enter: [{}] }]);
});
