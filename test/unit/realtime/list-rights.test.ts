import { beforeEach, describe, expect, test } from 'vitest';
import { ListRoom } from './list-room.ts';
import { newRow, uuidFrom } from './list-rows.ts';

// What a room says of lists to somebody whose rights change.

let room: ListRoom;
beforeEach(() => {
  room = new ListRoom();
});

test('a right that is lost or given back without a change of the log is told with the next frame', async () => {
  const follower = room.follow(['/payments', '/clients']);
  await follower.subscribe();
  const { hub } = room.world.hub;
  hub.regrant(follower.socket, { role: 'STAFF' });
  await room.put(1, {});
  expect(follower.lists().at(-1)).toMatchObject([
    { id: 'l0', changed: true },
    { id: 'l1', enter: [{}] },
  ]);
  await room.put(1, { notes: 'x' });
  expect(follower.lists().at(-1)).toMatchObject([{ id: 'l1', update: [{}] }]);
  hub.regrant(follower.socket, { role: 'OWNER' });
  await room.put(1, { notes: 'y' });
  expect(follower.lists().at(-1)).toMatchObject([
    { id: 'l0', changed: true },
    { id: 'l1', update: [{}] },
  ]);
});

describe('a right that is lost', () => {
  const user = uuidFrom(7, 0);
  const rank = (role: string) =>
    room.world.write('user', user, { ...newRow(room.luck, 'user', user), role, status: 'ACTIVE' });
  const pay = (n: number) => room.world.write('payment', uuidFrom(5, n), newRow(room.luck, 'payment', uuidFrom(5, n)));
  const changed = (revision: unknown) => [{ id: 'l0', revision, changed: true }];

  // What is loaded meanwhile may be newer than such a frame, which says nothing then; the last one never is older.
  test('while the log is walked is told with each page, up to where the room is', async () => {
    const { hub } = room.world;
    rank('OWNER');
    for (let n = 1; n < 120; n += 1) pay(n);
    const follower = room.follow(['/payments'], { actor: `USER:${user}` });
    const work = follower.ask({ resume: { epoch: hub.epoch, revision: 0 } });
    while (follower.lists().length === 0) await room.answer();
    const changes = [rank('STAFF')];
    hub.hub.published(hub.head(), changes);
    await room.answers();
    await work;
    expect(follower.lists()).toEqual([50, 100, 121].map(changed));
  });

  test('in one of the frames that leave together is told with each of them', async () => {
    rank('OWNER');
    const follower = room.follow(['/payments'], { actor: `USER:${user}` });
    await follower.subscribe();
    const changes = [...Array.from({ length: 200 }, (_, n) => pay(n)), rank('STAFF')];
    room.world.hub.hub.published(room.world.hub.head(), changes);
    const frames = follower.frames.filter(({ type }) => type === 'batch_update');
    expect(frames.length).toBeGreaterThan(1);
    expect(frames.map(({ lists }) => lists)).toEqual(frames.map(({ revision }) => changed(revision)));
  });
});
