import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MOST_FOLLOWED } from '../../../src/data/live-list.ts';
import { MemoryShelf } from '../../../src/realtime/hub/shelf.ts';
import { type Frame, ListRoom } from './list-room.ts';
import { newRow, uuidFrom } from './list-rows.ts';

// What a room says of lists, frame by frame; under faults: lists.property.test.ts.

let room: ListRoom;
beforeEach(() => {
  room = new ListRoom();
});

describe('a list', () => {
  test('is told what enters, changes and leaves, and nothing of what is not its own', async () => {
    const follower = room.follow(['/clients?tag=vip&fields=id,lastName&sort=lastName', '/api/v1/appointments?limit=3']);
    expect(await follower.subscribe()).toMatchObject({ type: 'subscribed', topics: [], revision: 0 });
    const at = '2026-03-01T10:00:00+00:00';
    await room.put(1, { tags: ['vip'], last_name: 'A', created_at: at });
    await room.put(1, { last_name: 'B' });
    await room.put(2, {});
    await room.put(1, { tags: [] });
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
    room.reads = 0;
    const first = room.follow(['/clients']);
    await first.subscribe();
    const second = room.follow(['/clients'], { session: 'y', actor: 'USER:2', grant: { role: 'STAFF' } });
    await second.subscribe();
    await room.put(1, {});
    expect([room.reads, first.lists(), second.lists()]).toEqual([1, second.lists(), first.lists()]);
    room.world.hub.sockets.delete(first.socket);
    room.world.hub.sockets.delete(second.socket);
    await room.put(2, {});
    await room.follow(['/clients']).subscribe();
    expect(room.reads).toBe(2);
  });

  test('that nobody follows any more is forgotten though nothing is written, when there are many; one that somebody does is not', async () => {
    await room.follow(['/clients?limit=1']).subscribe();
    const restless = Array.from({ length: 300 }, (_, n) => `/clients?limit=1&tag=${n}`);
    for (const [n, path] of restless.entries()) {
      const follower = room.follow([path], { session: `y${n}`, actor: `USER:${n}` });
      await follower.subscribe();
      room.world.hub.sockets.delete(follower.socket);
    }
    room.reads = 0;
    await room.follow(['/clients?limit=1'], { session: 'z' }).subscribe();
    expect(room.reads).toBe(0);
    await room.follow([String(restless[0])], { session: 'zz' }).subscribe();
    expect(room.reads).toBe(1);
  });

  test('that nobody follows yet is read at the pace at which GET may ask for it, and a colleague has the half', async () => {
    // Two hundred at once, of which one user may have a hundred.
    room = new ListRoom(1000);
    let n = 0;
    const ask = async (actor: string, lists = 20): Promise<Frame | undefined> => {
      const paths = Array.from({ length: lists }, () => `/clients?tag=t${n++}`);
      return room.follow(paths, { session: `s${n}`, actor }).subscribe();
    };
    for (let i = 0; i < 5; i += 1) expect(await ask('USER:1')).toMatchObject({ type: 'subscribed' });
    const turn = { type: 'error', id: 1, code: 'rate_limited', temporary: true };
    const [first, second] = [await ask('USER:1'), await ask('USER:1')];
    // One after the other, and not all of them at the same time.
    expect([first, second]).toMatchObject([turn, turn]);
    expect(Number(second?.retryAfterMs) - Number(first?.retryAfterMs)).toBeGreaterThan(1000);
    for (let i = 0; i < 5; i += 1) expect(await ask('USER:2')).toMatchObject({ type: 'subscribed' });
    expect(await ask('USER:3', 1)).toMatchObject(turn);
    // Nor is a path read that nobody asked for: that takes as long as all else of a frame.
    expect(await room.follow(['/nonsense'], { session: 'w', actor: 'USER:3' }).subscribe()).toMatchObject(turn);
    // What somebody follows is known, and a stream without lists needs none.
    expect(await room.follow(['/clients?tag=t0'], { session: 'x' }).subscribe()).toMatchObject({ type: 'subscribed' });
    expect(await room.follow([], { session: 'y' }).subscribe({ topics: ['clients'] })).toMatchObject({
      type: 'subscribed',
    });
    room.world.hub.pass(Number(second?.retryAfterMs));
    expect(await ask('USER:1')).toMatchObject({ type: 'subscribed' });
  });

  test('is known again after a sleep, without a read', async () => {
    room.reads = 0;
    const follower = room.follow(['/clients?limit=1&sort=name']);
    await follower.subscribe();
    await room.put(1, { name: 'B' });
    room.world.hub.pass(2000);
    await room.put(2, { name: 'C' });
    expect(room.world.hub.isQuiet()).toBe(false);
    room.world.hub.pass(2000);
    expect(room.world.hub.isQuiet()).toBe(true);
    room.world.hub.hibernate();
    await room.put(3, { name: 'A' });
    expect(follower.lists().at(-1)).toMatchObject([
      { enter: [{ name: 'A' }], update: [], leave: [expect.any(String)] },
    ]);
    expect(room.reads).toBe(1);
  });

  test('whose places could not be kept is kept with the next change', async () => {
    const follower = room.follow(['/clients?limit=1&sort=name']);
    await follower.subscribe();
    const keep = vi.spyOn(MemoryShelf.prototype, 'keep');
    keep.mockImplementationOnce(() => {
      throw new Error('a storage that fails');
    });
    await room.put(1, { name: 'B' });
    expect(() => room.world.hub.pass(2000)).toThrow('a storage that fails');
    keep.mockRestore();
    // Nothing of this list.
    await room.put(9, { status: 'ARCHIVED' });
    room.world.hub.pass(2000);
    room.world.hub.hibernate();
    await room.put(2, { name: 'A' });
    expect(follower.lists().at(-1)).toMatchObject([
      { enter: [{ name: 'A' }], update: [], leave: [expect.any(String)] },
    ]);
  });

  test('is known after a sleep with what moved behind its page, and after an erasure that does not touch it', async () => {
    const follower = room.follow(['/clients?limit=1&sort=name', '/appointments']);
    await follower.subscribe();
    await room.put(1, { name: 'A' });
    await room.put(2, { name: 'B' });
    const sleep = async (): Promise<void> => {
      room.world.hub.pass(2000);
      await room.answers();
      room.world.hub.hibernate();
    };
    await sleep();
    await room.put(2, { name: 'D' });
    await sleep();
    await room.put(1, { name: 'C' });
    expect(follower.lists().at(-1)).toMatchObject([{ id: 'l0', update: [{ name: 'C' }] }]);
    await room.put(2, { status: 'ARCHIVED', erased_at: '2026-03-04T10:00:00+00:00' });
    await sleep();
    const id = uuidFrom(5, 9);
    const booked = room.world.write('appointment', id, { ...newRow(room.luck, 'appointment', id), status: 'PENDING' });
    room.world.hub.hub.published(room.world.hub.head(), [booked]);
    expect(follower.lists().at(-1)).toMatchObject([{ id: 'l1', enter: [{ status: 'PENDING' }] }]);
  });

  test('that has grown beyond what is remembered only says that it has changed, and is read no more', async () => {
    const follower = room.follow(['/clients?limit=100']);
    await follower.subscribe();
    for (let n = 0; n < MOST_FOLLOWED; n += 1)
      room.world.write('client', uuidFrom(6, n), { ...newRow(room.luck, 'client', uuidFrom(6, n)), status: 'ACTIVE' });
    room.world.hub.hub.published(room.world.hub.head(), []);
    for (let n = 0; n < 20; n += 1) {
      room.world.hub.pass(200);
      await room.answers();
    }
    await room.put(1, {});
    room.reads = 0;
    for (let n = 0; n < 3; n += 1) {
      room.world.hub.pass(5000);
      await room.put(1, { notes: `${n}` });
      expect(follower.lists().at(-1)).toMatchObject([{ changed: true }]);
    }
    expect(room.reads).toBeLessThan(2);
    expect(await room.follow(['/clients?limit=100'], { session: 'y' }).subscribe()).toMatchObject({
      code: 'query_too_large',
    });
  });

  test('whose rows are not known has changed with an erasure, which blanks what was before', async () => {
    await room.put(1, { tags: ['vip'] });
    const follower = room.follow(['/clients?tag=vip']);
    await follower.subscribe();
    room.world.hub.hibernate();
    room.world.erase();
    room.world.hub.hub.published(room.world.hub.head(), []);
    for (let n = 0; n < 5; n += 1) {
      room.world.hub.pass(200);
      await room.answers();
    }
    expect(follower.lists().at(-1)).toEqual([{ id: 'l0', revision: 2, changed: true }]);
  });
});

test('a subscription whose catching up failed gets nothing more, not even after a sleep', async () => {
  const { hub } = room.world;
  const follower = room.follow(['/clients']);
  await follower.subscribe();
  await room.put(1, {});
  room.world.hub.emptyRing();
  const work = follower.ask({ id: 2, resume: { epoch: hub.epoch, revision: 0 } });
  await vi.waitFor(() => expect(hub.asked).toHaveLength(1));
  hub.asked.shift()?.fail(new Error('down'));
  await work;
  expect(follower.frames.at(-1)).toMatchObject({ type: 'error', id: 2, code: 'unavailable' });
  hub.hibernate();
  await room.put(2, {});
  expect(follower.frames.at(-1)).toMatchObject({ type: 'error' });
});

test('of a subscription with one bad list nothing is followed, and the earlier one stays', async () => {
  const follower = room.follow(['/clients']);
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
  await room.put(1, {});
  expect(follower.lists().at(-1)).toMatchObject([{ id: 'l0', enter: [{}] }]);
});
