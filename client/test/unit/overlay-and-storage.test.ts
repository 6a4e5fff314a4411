import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { browserStorage, memoryStorage } from '../../src/live.ts';
import { json, refusal, settled } from '../support/fake-host.ts';
import { EPOCH, room } from '../support/fake-room.ts';
import { gets, news, openIn, PATH, start, thing } from '../support/followed.ts';

describe('an optimistic write', () => {
  const draft = thing('draft', 'b') as never;

  test('is shown at once, beyond its answer, until the list holds it', async () => {
    const { fake, list, names, tell } = await start();
    let answer: (response: Response) => void = () => undefined;
    fake.pages = () => new Promise((done) => (answer = done));
    const written = list.optimistic(
      (rows) => [...rows, draft],
      () => fake.client.request('post', '/clients', { body: { firstName: 'b' } }),
    );
    expect(names()).toEqual(['a', 'c', 'draft']);
    tell(11, news([thing('other')]));
    await settled();
    answer(json({ id: 'b' }, { status: 201, Revision: '12' }));
    expect((await written).id).toBe('b');
    expect(names()).toEqual(['a', 'c', 'other', 'draft']);
    tell(12, news([thing('b')]));
    expect(names()).toEqual(['a', 'b', 'c', 'other']);
  });

  test('goes with its refusal', async () => {
    const { fake, list, names } = await start();
    fake.pages = () => refusal(409, 'slot_taken');
    const written = list.optimistic(
      (rows) => [...rows, draft],
      () => fake.client.request('post', '/clients', { body: {} }),
    );
    await expect(written).rejects.toMatchObject({ code: 'slot_taken' });
    expect(names()).toEqual(['a', 'c']);
  });

  test('goes in another history, whose numbers do not reach its own', async () => {
    const { fake, list, names } = await start();
    fake.pages = ({ method }) =>
      method === 'POST' ? json({}, { status: 201, Revision: '12' }) : json({ data: [thing('z')] }, { Revision: '5' });
    const post = () => fake.client.request('post', '/clients', { body: {} });
    await list.optimistic((rows) => [...rows, draft], post);
    fake.socket.tell({ type: 'reset', reason: 'epoch_changed', epoch: 'later', revision: 5 });
    fake.accept(5, { epoch: 'later' });
    await settled();
    expect(names()).toEqual(['z']);
  });

  test('without a stream goes when a load shows it', async () => {
    const { fake, list, names } = await start();
    fake.socket.drop(1006);
    fake.pages = ({ method }) =>
      method === 'POST'
        ? json({ id: 'b' }, { status: 201, Revision: '11' })
        : json({ data: [thing('a'), thing('b')] }, { Revision: '11' });
    const post = () => fake.client.request('post', '/clients', { body: {} });
    await list.optimistic((rows) => [...rows, draft], post);
    await settled();
    expect([names(), list.getSnapshot().status]).toEqual([['a', 'b'], 'cached']);
  });

  test('without a network is refused, not kept', async () => {
    const { fake, list, names } = await start();
    fake.host.wake('offline');
    const written = list.optimistic(
      (rows) => [...rows, draft],
      () => fake.client.request('post', '/clients', { body: {} }),
    );
    await expect(written).rejects.toMatchObject({ code: 'offline' });
    expect(names()).toEqual(['a', 'c']);
  });
});

describe('kept over visits', () => {
  test('a list is painted before anything was asked, then goes on from there', async () => {
    const storage = memoryStorage();
    const { fake, live, tell } = await start(undefined, storage);
    tell(11, news([thing('b')]));
    await fake.host.pass(500);
    live.close();
    fake.host.isOut = true;
    fake.host.asked.length = 0;
    const { list, names } = openIn(fake, storage);
    await settled();
    expect([names(), list.getSnapshot().status]).toEqual([['a', 'b', 'c'], 'cached']);
    expect(fake.host.asked).toEqual([]);
    fake.host.wake('online');
    await fake.greet();
    expect(fake.subscribed).toMatchObject({ resume: { epoch: EPOCH, revision: 11 } });
    fake.accept(11, { recovered: true });
    fake.batch(11, 13, [], { lists: [{ id: 'l1', revision: 13, ...news([], [], ['a']) }] });
    expect([names(), list.getSnapshot().status]).toEqual([['b', 'c'], 'live']);
    expect(gets(fake)).toEqual([]);
  });

  test('a list of an earlier history, or behind where the others go on, is loaded', async () => {
    const storage = memoryStorage();
    const key = (path: string) => `comp_1/usr_1/OWNER ${path}`;
    await storage.write(key(PATH), { epoch: EPOCH, revision: 4, rows: [thing('kept')] });
    await storage.write(key('/staff'), { epoch: 'epoch-0', revision: 90, rows: [thing('older')] });
    const fake = await room();
    fake.pages = () => json({ data: [thing('loaded')] }, { Revision: '9' });
    const { live, names } = openIn(fake, storage);
    const staff = live.list('/staff');
    await fake.greet();
    expect(fake.subscribed).toMatchObject({ resume: { epoch: EPOCH, revision: 4 } });
    fake.accept(4, { recovered: true });
    await settled();
    expect([names(), staff.getSnapshot().data]).toEqual([['kept'], [thing('loaded')]]);
  });

  test('nothing is left when somebody signs out, and nobody sees what another has kept', async () => {
    const storage = browserStorage('signs out');
    const { fake, list } = await start(undefined, storage);
    const key = `comp_1/usr_1/OWNER ${PATH}`;
    const foreign = { epoch: EPOCH, revision: 1, rows: [thing('foreign')] };
    await storage.write(`comp_1/usr_2/OWNER ${PATH}`, foreign);
    await fake.host.pass(500);
    await expect.poll(() => storage.read(key)).toMatchObject({ epoch: EPOCH, revision: 10 });
    await fake.client.signOut();
    expect(list.getSnapshot()).toMatchObject({ data: [], status: 'ended' });
    await expect.poll(() => storage.read(key)).toBeUndefined();
    expect(await storage.read(`comp_1/usr_2/OWNER ${PATH}`)).toEqual(foreign);
    await fake.host.pass(60_000);
    expect(await storage.read(key)).toBeUndefined();
  });

  test('storage that does not work is none', async () => {
    const broken = async (): Promise<never> => {
      throw new Error('quota');
    };
    const { fake, names } = await start(undefined, { read: broken, write: broken, clear: broken });
    await fake.host.pass(1000);
    expect(names()).toEqual(['a', 'c']);
  });
});
