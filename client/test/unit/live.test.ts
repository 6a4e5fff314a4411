import { describe, expect, test } from 'vitest';
import { compare, orderOf } from '../../src/live/order.ts';
import { json, refusal, settled } from '../support/fake-host.ts';
import { room } from '../support/fake-room.ts';
import { gets, news, openIn, PATH, start, thing } from '../support/followed.ts';

describe('a list', () => {
  test('is asked for by its path, and follows enter, update and leave in its order', async () => {
    const { fake, list, names, tell } = await start();
    expect(fake.subscribed).toMatchObject({ topics: ['company'], queries: [{ id: 'l1', path: PATH }] });
    expect([names(), list.getSnapshot().status]).toEqual([['a', 'c'], 'live']);
    tell(11, news([thing('b')], [thing('a', 'd')]));
    expect(names()).toEqual(['b', 'c', 'a']);
    tell(12, news([], [], ['c', 'unknown']));
    expect(names()).toEqual(['b', 'a']);
  });

  test('is the same snapshot until it changes, as React wants it', async () => {
    const { fake, list, tell } = await start();
    const { getSnapshot, subscribe } = list;
    let told = 0;
    const stop = subscribe(() => {
      told += 1;
    });
    const first = getSnapshot();
    fake.batch(10, 11);
    expect([getSnapshot() === first, told]).toEqual([true, 0]);
    tell(12, news([thing('b')]));
    expect([getSnapshot() === first, told]).toEqual([false, 1]);
    stop();
    tell(13, news([thing('e')]));
    expect(told).toBe(1);
  });

  test('R6 is loaded after it was subscribed to; what comes meanwhile waits, and what the answer holds is dropped', async () => {
    const fake = await room();
    const answers: ((response: Response) => void)[] = [];
    fake.pages = () => new Promise((done) => answers.push(done));
    const { names } = openIn(fake);
    await fake.live(10);
    answers.shift()?.(json({ data: [thing('early')] }, { Revision: '8' }));
    await settled();
    expect([names(), gets(fake).at(-1)?.headers.get('min-revision')]).toEqual([['early'], '10']);
    fake.batch(10, 11, [], { lists: [{ id: 'l1', revision: 11, ...news([thing('old')]) }] });
    fake.batch(11, 12, [], { lists: [{ id: 'l1', revision: 12, ...news([thing('new')]) }] });
    answers.shift()?.(json({ data: [thing('base')] }, { Revision: '11' }));
    await settled();
    expect(names()).toEqual(['base', 'new']);
  });

  test('of which only a GET can tell is loaded again, at that revision', async () => {
    const { fake, list, names, tell } = await start();
    fake.pages = () => json({ data: [thing('z')] }, { Revision: '11' });
    tell(11, { changed: true });
    expect(list.getSnapshot().status).toBe('cached');
    await settled();
    expect([names(), gets(fake).at(-1)?.headers.get('min-revision')]).toEqual([['z'], '11']);
    expect(list.getSnapshot().status).toBe('live');
  });

  test('is loaded anew in another history, whatever was on its way', async () => {
    const { fake, names } = await start();
    const answers: ((response: Response) => void)[] = [];
    fake.pages = () => new Promise((done) => answers.push(done));
    fake.batch(10, 11, [], { lists: [{ id: 'l1', revision: 11, changed: true }] });
    await settled();
    fake.socket.tell({ type: 'reset', reason: 'epoch_changed', epoch: 'later', revision: 5 });
    fake.accept(5, { epoch: 'later' });
    answers.shift()?.(json({ data: [thing('of before')] }, { Revision: '11' }));
    await settled();
    answers.shift()?.(json({ data: [thing('now')] }, { Revision: '5' }));
    await settled();
    fake.batch(5, 6, [], { lists: [{ id: 'l1', revision: 6, ...news([thing('then')]) }] });
    expect(names()).toEqual(['now', 'then']);
  });

  test('that the server does not follow is loaded anew when its topic changes; the others are followed', async () => {
    const { fake, live } = await start();
    live.list('/staff');
    await settled();
    expect(fake.subscribed).toMatchObject({ queries: [{ id: 'l1' }, { id: 'l2' }] });
    const refused = { code: 'unknown_query', message: 'queries: l1: no such list', temporary: false };
    fake.socket.tell({ type: 'error', id: fake.subscribed.id, ...refused });
    expect(fake.subscribed).toMatchObject({ queries: [{ id: 'l2', path: '/staff' }] });
    expect(fake.subscribed).not.toHaveProperty('topics');
    fake.accept(10, { recovered: true });
    await settled();
    const before = gets(fake).length;
    fake.pages = () => json({ data: [] }, { Revision: '12' });
    fake.batch(10, 11, [{ revision: 11, topic: 'clients' }]);
    await settled();
    fake.batch(11, 12, [{ revision: 12, topic: 'staff' }]);
    await settled();
    expect(gets(fake).length - before).toBe(1);
    expect(gets(fake).at(-1)?.headers.get('min-revision')).toBe('11');
  });

  test('is not asked for again and again where the server answers an older one', async () => {
    const { fake, list, tell } = await start();
    const before = gets(fake).length;
    tell(11, { changed: true });
    await fake.host.pass(4000);
    expect([gets(fake).length - before, list.getSnapshot().error]).toEqual([1, expect.any(Error)]);
    fake.pages = () => json({ data: [thing('b')] }, { Revision: '11' });
    await fake.host.pass(1000);
    expect(list.getSnapshot()).toEqual({ data: [thing('b')], status: 'live', error: null });
  });

  test('is shared by whoever asks for it, and left when the last one closes it', async () => {
    const { fake, live, list } = await start();
    const same = live.list(PATH);
    expect(same).toBe(list);
    list.close();
    expect(fake.socket.frames).toHaveLength(1);
    same.close();
    expect([list.getSnapshot().status, fake.subscribed]).toEqual([
      'ended',
      expect.not.objectContaining({ queries: [] }),
    ]);
    expect(live.list(PATH)).not.toBe(list);
  });

  test('that may not be read has failed and says why, until it may be', async () => {
    const fake = await room();
    fake.pages = () => refusal(403, 'forbidden');
    const { list, names } = openIn(fake);
    await fake.live(10);
    await settled();
    expect(list.getSnapshot()).toMatchObject({ data: [], status: 'failed', error: { code: 'forbidden' } });
    expect(fake.host.due.includes(5000)).toBe(false);
    fake.pages = () => json({ data: [thing('a')] }, { Revision: '11' });
    fake.socket.tell({ type: 'reset', reason: 'epoch_changed', epoch: 'later', revision: 11 });
    fake.accept(11, { epoch: 'later' });
    await settled();
    expect([names(), list.getSnapshot()]).toMatchObject([['a'], { status: 'live', error: null }]);
  });

  test('that cannot be had for now is loading still', async () => {
    const fake = await room();
    fake.pages = () => refusal(503, 'database_unavailable');
    const { list } = openIn(fake);
    await fake.host.pass(60_000);
    expect(list.getSnapshot()).toMatchObject({ status: 'loading', error: { code: 'database_unavailable' } });
  });
});

test("the order is the server's: nulls last both ways, texts by code points, ties by id the way of the field", () => {
  const rows = [
    thing('1', 'b'),
    thing('2', null),
    thing('3', 'a'),
    thing('4', 'a'),
    thing('5', '\uffee'),
    thing('6', '😀'),
  ];
  const sorted = (path: string) => rows.toSorted((a, b) => compare(orderOf(path), a, b)).map(({ id }) => id);
  expect(sorted('/x?sort=firstName')).toEqual(['3', '4', '1', '5', '6', '2']);
  expect(sorted('/x?sort=-firstName')).toEqual(['6', '5', '1', '4', '3', '2']);
  expect(sorted('/x?sort=firstName&order=desc')).toEqual(sorted('/x?sort=-firstName'));
  expect(orderOf('/x')).toEqual([
    { field: 'createdAt', descending: true },
    { field: 'id', descending: true },
  ]);
});
