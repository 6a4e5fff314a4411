import { beforeEach, describe, expect, test } from 'vitest';
import { Client, happen } from './hub-client.ts';
import { HubWorld } from './hub-world.ts';

// What a room sends to whoever subscribes, and where it begins.

let world: HubWorld;
beforeEach(() => {
  world = new HubWorld();
});

describe('a subscription', () => {
  test('of another company or of nothing that may be seen is refused, and the earlier one stays', async () => {
    const client = new Client(world, { grant: { role: 'ONE' } });
    await client.subscribe();
    await client.subscribe({ companyId: 'comp_2' });
    expect(client.last()).toMatchObject({ type: 'error', id: 1, code: 'unknown_company' });
    await client.subscribe({ topics: ['a', 'nonsense'] });
    expect(client.last()).toMatchObject({ type: 'error', id: 1, code: 'forbidden' });
    await client.subscribe({ queries: [{ id: 'l', path: '/clients' }] });
    expect(client.last()).toMatchObject({ type: 'error', id: 1, code: 'unknown_query' });
    await happen(world, 1, 'c');
    expect(client.last()).toMatchObject({ type: 'batch_update', messages: [{ topic: 'c' }] });
  });

  test('leaves topics out that are unknown or may not be seen', async () => {
    const client = new Client(world, { grant: { role: 'SOME' } });
    await client.subscribe({ topics: ['c', 'b', 'nonsense'] });
    expect(client.last()).toEqual({
      type: 'subscribed',
      id: 1,
      topics: ['b'],
      epoch: 'e001',
      revision: 0,
      recovered: false,
      replay: 0,
    });
  });

  test('is told again of as much as GET /events may ask for, and a colleague has the half of it', async () => {
    // Two hundred pages at once, of which one user may have a hundred.
    world = new HubWorld(1e9, null, 1000);
    const all = [1, 2, 3].map((n) => new Client(world, { session: `s${n}`, actor: `USER:${n}` }));
    const [one, two] = all as [Client, Client];
    for (const client of all) await client.subscribe({ topics: ['c'] });
    await happen(world, 5000);
    const again = (client: Client, behind: number): Promise<void> =>
      client.subscribe({ resume: { epoch: 'e001', revision: 5000 - behind } });
    for (let n = 0; n < 10; n += 1) await again(one, 5000);
    expect(one.of('error')).toEqual([]);
    const asked = one.of('subscribed').length;
    await again(one, 5000);
    await again(one, 1);
    expect(one.of('error')).toMatchObject(Array(2).fill({ id: 1, code: 'rate_limited', temporary: true }));
    // Nor is it found out whether there is what they say that they have seen.
    await again(one, -1);
    expect([one.of('subscribed').length, one.of('error').length]).toEqual([asked, 3]);
    // Who has missed nothing needs nothing read.
    await again(one, 0);
    for (let n = 0; n < 10; n += 1) await again(two, 5000);
    expect([one, two].map((client) => client.of('error').length)).toEqual([3, 0]);
    await happen(world, 1, 'c');
    for (const client of all) expect(client.last()).toMatchObject({ type: 'batch_update', prev: 5000, revision: 5001 });
  });

  test.each([
    ['at the head', 0, true],
    ['one behind', 1, true],
    ['as far back as the ring goes', 1024, true],
    ['beyond the ring, from the log', 1025, true],
    ['5,000 behind', 5000, true],
    ['5,001 behind', 5001, false],
    ['ahead of all there is', -1, false],
  ])('resumed %s (%i)', async (_, behind, recovered) => {
    const earlier = new Client(world);
    await earlier.subscribe();
    await happen(world, 5100);
    const client = new Client(world, { session: 'r' });
    const revision = 5100 - behind;
    await client.subscribe({ resume: { epoch: 'e001', revision } });
    if (!recovered) {
      const reason = behind < 0 ? 'position_ahead' : 'window_exceeded';
      expect(client.last()).toEqual({ type: 'reset', reason, epoch: 'e001', revision: 5100 });
      return;
    }
    expect(client.frames[1]).toMatchObject({ type: 'subscribed', revision, recovered, replay: behind });
    const messages = client.of('batch_update').flatMap((frame) => frame.messages as { revision: number }[]);
    expect(messages.map((message) => message.revision)).toEqual(
      Array.from({ length: behind }, (_, n) => revision + 1 + n),
    );
  });

  test('of another history is told to load anew, and so is one of a day ago', async () => {
    const client = new Client(world);
    await client.subscribe();
    await happen(world, 3);
    await client.subscribe({ resume: { epoch: 'e000', revision: 3 } });
    expect(client.last()).toMatchObject({ type: 'reset', reason: 'epoch_changed' });
    world.crash(0);
    world.now += 25 * 60 * 60 * 1000;
    const late = new Client(world);
    world.emptyRing();
    await late.subscribe({ resume: { epoch: 'e001', revision: 1 } });
    expect(late.last()).toMatchObject({ type: 'reset', reason: 'window_exceeded' });
  });

  test('of all who come back at once after a crash takes one read, and one more where it was too early', async () => {
    const client = new Client(world);
    await client.subscribe();
    await happen(world, 3);
    world.crash(2);
    const back = Array.from({ length: 42 }, (_, n) => new Client(world, { session: `r${n}` }));
    const say = (one: Client, revision: number): Promise<void> =>
      world.hub.hear(
        one.socket,
        JSON.stringify({ type: 'subscribe', id: 1, companyId: 'comp_1', resume: { epoch: 'e001', revision } }),
      );
    const earlier = back.slice(0, 40).map((one) => say(one, 3));
    expect(world.asked).toHaveLength(1);
    // Read before the fourth was committed, which the last has heard of.
    for (const asked of world.asked) world.see(asked);
    world.commit('a');
    const ahead = say(back[41] as Client, 4);
    expect(world.asked).toHaveLength(1);
    await world.answerAll();
    await Promise.all([...earlier, ahead]);
    expect(back[0]?.of('subscribed')).toMatchObject([{ revision: 3, recovered: true }]);
    expect(back[41]?.of('subscribed')).toMatchObject([{ revision: 4, recovered: true }]);
  });

  test('of many who stand at one place beyond the ring takes one read for each page', async () => {
    const client = new Client(world);
    await client.subscribe();
    await happen(world, 1100);
    const back = Array.from({ length: 20 }, (_, n) => new Client(world, { session: `r${n}`, actor: `USER:${n}` }));
    const command = { type: 'subscribe', id: 1, companyId: 'comp_1', resume: { epoch: 'e001', revision: 10 } };
    const work = back.map(({ socket }) => world.hub.hear(socket, JSON.stringify(command)));
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    expect(world.asked).toHaveLength(1);
    await world.answerAll();
    await Promise.all(work);
    for (const one of back) {
      const told = one.of('batch_update').flatMap((frame) => frame.messages as { revision: number }[]);
      expect(told.map(({ revision }) => revision)).toEqual(Array.from({ length: 1090 }, (_, n) => 11 + n));
    }
  });

  test('of one who is ahead of a room that has just sent a burst is not held up by its pace', async () => {
    const client = new Client(world);
    await client.subscribe();
    for (let n = 0; n < 5; n += 1) world.hub.published({ epoch: 'e001', revision: n + 1 }, [world.commit('a')]);
    expect(client.of('batch_update')).toHaveLength(5);
    // Its push is lost, and it may not leave before 100 ms are over.
    world.commit('a');
    const ahead = new Client(world, { session: 'r' });
    await ahead.subscribe({ resume: { epoch: 'e001', revision: 6 } });
    expect(ahead.last()).toMatchObject({ type: 'subscribed', revision: 6, recovered: true });
    expect(client.last()).toMatchObject({ type: 'batch_update', revision: 6 });
  });

  test.each([
    ['renewed, is told to load anew', true],
    ['kept, goes on without what was written again: nothing but the epoch can tell', false],
  ])('after the database was set back with its epoch %s', async (_, isRenewed) => {
    const client = new Client(world);
    await client.subscribe();
    await happen(world, 5);
    world.crash(0);
    if (isRenewed) world.restore(3);
    else world.log = world.log.slice(0, 3);
    for (let n = 0; n < 2; n += 1) world.commit('b');
    const back = new Client(world, { session: 'r' });
    await back.subscribe({ resume: { epoch: 'e001', revision: 5 } });
    await happen(world, 1);
    const told = back.of('batch_update').flatMap((frame) => frame.messages as { revision: number }[]);
    expect(told.map(({ revision }) => revision)).toEqual(isRenewed ? [] : [6]);
    expect(back.of('reset')).toEqual(
      isRenewed ? [{ type: 'reset', reason: 'epoch_changed', epoch: 'e002', revision: 5 }] : [],
    );
  });

  test('while the log cannot be read is refused for a moment', async () => {
    const client = new Client(world);
    const work = world.hub.hear(client.socket, JSON.stringify({ type: 'subscribe', id: 'x', companyId: 'comp_1' }));
    for (const asked of world.asked.splice(0)) asked.fail(new Error('down'));
    await work;
    expect(client.last()).toMatchObject({ type: 'error', id: 'x', code: 'unavailable', temporary: true });
  });
});

describe('what is sent', () => {
  test('the first changes leave at once, more of them together every 100 ms', async () => {
    const client = new Client(world);
    await client.subscribe();
    for (let n = 0; n < 20; n += 1) world.hub.published({ epoch: 'e001', revision: n + 1 }, [world.commit('a')]);
    expect(client.of('batch_update').map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5]);
    world.pass(100);
    expect(client.last()).toMatchObject({ prev: 5, revision: 20 });
  });

  /** Answers of the log as a cache before the database would give them: of when there was one change. */
  const answerFromCache = async (): Promise<void> => {
    for (const asked of world.asked.splice(0)) asked.answer({ epoch: 'e001', head: 1, oldest: 1, changes: [] });
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    world.pass(30);
  };

  test.each([
    ['pushed ahead of its turn', true],
    ['only heard of', false],
  ])(
    'from a log that may be cached nothing is repaired of what was %s: the log is read uncached',
    async (_, isPushed) => {
      const client = new Client(world);
      await client.subscribe();
      await happen(world, 1);
      world.commit('a');
      const third = world.commit('a');
      world.hub.published({ epoch: 'e001', revision: 3 }, isPushed ? [third] : []);
      world.pass(30);
      for (let round = 0; round < 20; round += 1) await answerFromCache();
      expect(client.last()).toMatchObject({ revision: 1 });
      // What was pushed is still waited for; of what was only heard nobody knows any more.
      expect(world.asked).toHaveLength(isPushed ? 1 : 0);
      await world.answerAll();
      world.pass(200);
      await world.answerAll();
      expect(client.last()).toMatchObject({ revision: isPushed ? 3 : 1 });
    },
  );

  test('what a client may not see moves its position and is not shown', async () => {
    const client = new Client(world, { grant: { role: 'ONE' } });
    await client.subscribe();
    await happen(world, 1, 'a');
    expect(client.last()).toMatchObject({ type: 'batch_update', prev: 0, revision: 1, messages: [] });
  });

  test('nothing from before an erasure is told again out of the ring', async () => {
    const client = new Client(world);
    await client.subscribe();
    await happen(world, 3);
    world.hub.published({ epoch: 'e001', revision: 4 }, [world.commit('a', true)]);
    world.log = world.log.map((change) => ({ ...change, after: { value: 'scrubbed' } }));
    await client.subscribe({ resume: { epoch: 'e001', revision: 0 } });
    const told = client.frames.slice(client.frames.findLastIndex(({ type }) => type === 'subscribed'));
    expect(JSON.stringify(told)).not.toContain('e001:1');
    expect(told.flatMap(({ messages = [] }) => messages as object[])).toHaveLength(4);
  });
});
