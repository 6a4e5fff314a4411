import { beforeEach, describe, expect, test } from 'vitest';
import type { Member } from '../../../src/realtime/hub/member.ts';
import { HubWorld, type Socket } from './hub-world.ts';

// What a room says to one client: the frames and close codes of the contract. Order under faults: hub.property.test.ts.

type Frame = { type: string; [member: string]: unknown };

/** A client that writes down what it is told. */
class Client {
  readonly frames: Frame[] = [];
  code: number | null = null;
  readonly socket: Socket;
  readonly #world: HubWorld;

  constructor(world: HubWorld, member: Partial<Member> = {}, replaces: string | null = null) {
    this.#world = world;
    this.socket = world.open(
      member,
      (text) => void this.frames.push(JSON.parse(text) as Frame),
      (code) => {
        this.code = code;
      },
      replaces,
    );
  }

  /** Says something; what is asked of the log is answered at once. */
  async say(frame: unknown): Promise<void> {
    const work = this.#world.hub.hear(this.socket, typeof frame === 'string' ? frame : JSON.stringify(frame));
    await this.#world.answerAll();
    await work;
  }

  subscribe(more: object = {}): Promise<void> {
    return this.say({ type: 'subscribe', id: 1, companyId: 'comp_1', ...more });
  }

  of(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  last(): Frame | undefined {
    return this.frames.at(-1);
  }
}

let world: HubWorld;
beforeEach(() => {
  world = new HubWorld();
});

/** Commits and announces so many changes, and lets them leave. */
async function happen(count: number, entity = 'a'): Promise<void> {
  for (let n = 0; n < count; n += 1)
    world.hub.published({ ...world.head(), revision: world.log.length + 1 }, [world.commit(entity)]);
  world.pass(200);
  await world.answerAll();
}

describe('who comes', () => {
  test('is told the limits', () => {
    const [welcome] = new Client(world, { session: 's' }).frames;
    expect(welcome).toMatchObject({
      type: 'welcome',
      protocol: 'clientsplus.v1',
      session: 's',
      companyId: 'comp_1',
      pingIntervalMs: 30_000,
    });
    expect(welcome?.limits).toEqual({
      connections: 100,
      messagesPerMinute: 50,
      messageBytes: 8192,
      idleMs: 300_000,
      batchMs: 100,
      queries: 20,
    });
  });

  test('as the 101st finds the room full, unless it takes the place of its own ghost', () => {
    const clients = Array.from({ length: 100 }, (_, n) => new Client(world, { session: `s${n}` }));
    expect(new Client(world, { session: 'late' }).code).toBe(4013);
    const back = new Client(world, { session: 'again' }, 's7');
    expect([back.code, clients[7]?.code]).toEqual([null, 4500]);
    // Another's connection is no ghost of one's own.
    expect(new Client(world, { session: 'thief', actor: 'USER:2' }, 's8').code).toBe(4013);
    expect(clients[8]?.code).toBeNull();
  });
});

describe('what is said', () => {
  test.each([
    ['no JSON', '{'],
    ['no object', '[1]'],
    ['no type', '{}'],
    ['a subscription without company', { type: 'subscribe', id: 1 }],
    ['a subscription without id', { type: 'subscribe', companyId: 'comp_1' }],
    [
      '21 lists',
      {
        type: 'subscribe',
        id: 1,
        companyId: 'comp_1',
        queries: Array.from({ length: 21 }, (_, n) => ({ id: `${n}`, path: '/clients' })),
      },
    ],
    [
      'a position that is none',
      { type: 'subscribe', id: 1, companyId: 'comp_1', resume: { epoch: 'e', revision: -1 } },
    ],
  ])('%s is a bad frame', async (_, frame) => {
    const client = new Client(world);
    await client.say(frame);
    expect(client.last()).toMatchObject({ type: 'error', code: 'bad_frame', temporary: false });
  });

  test('8,193 bytes are too many, in two-byte characters too; three senseless frames end it', async () => {
    const client = new Client(world);
    await client.say(`"${'x'.repeat(8190)}"`);
    expect(client.last()).toMatchObject({ code: 'bad_frame' });
    await client.say(`"${'ü'.repeat(4096)}"`);
    expect(client.last()).toMatchObject({ code: 'too_large' });
    expect(client.code).toBeNull();
    await client.say('x');
    expect(client.code).toBe(4502);
  });

  test('senseless frames of one connection end no other of the same user', async () => {
    const clients = ['x', 'y', 'z'].map((session) => new Client(world, { session }));
    for (const client of clients) await client.say('nonsense');
    expect(clients.map(({ code }) => code)).toEqual([null, null, null]);
  });

  test('the 51st message is refused with when to try again, over all sockets of a user; the third refusal ends it', async () => {
    const [one, two] = [new Client(world), new Client(world, { session: 'y' })];
    for (let n = 0; n < 25; n += 1) await Promise.all([one.subscribe(), two.subscribe()]);
    expect([...one.of('error'), ...two.of('error')]).toEqual([]);
    await one.subscribe();
    expect(one.last()).toEqual({
      type: 'error',
      id: 1,
      code: 'rate_limited',
      message: 'Too many messages.',
      temporary: true,
      retryAfterMs: 1200,
    });
    world.pass(1200);
    await one.subscribe();
    expect(one.last()).toMatchObject({ type: 'subscribed' });
    await one.subscribe();
    await one.subscribe();
    expect(one.code).toBe(4029);
    // Another user has a measure of their own; pings and confirmations are not measured.
    const other = new Client(world, { actor: 'USER:2' });
    for (let n = 0; n < 200; n += 1) await other.say({ type: 'ping' });
    await other.subscribe();
    expect([other.of('pong').length, other.of('subscribed').length]).toEqual([200, 1]);
  });

  test('signals have a measure of their own, and reach those who listen to the topic and may', async () => {
    const sender = new Client(world);
    const [listens, elsewhere, mayNot] = [
      new Client(world, { session: 'l' }),
      new Client(world, { session: 'e' }),
      new Client(world, { session: 'm', actor: 'USER:2', grant: { role: 'ONE' } }),
    ];
    await listens.subscribe({ topics: ['a'] });
    await elsewhere.subscribe({ topics: ['b'] });
    await mayNot.subscribe();
    for (let n = 0; n < 300; n += 1) await sender.say({ type: 'signal', topic: 'a', data: { x: n } });
    expect(listens.of('signal').at(-1)).toEqual({ type: 'signal', topic: 'a', from: 'x', data: { x: 299 } });
    expect([listens.of('signal').length, elsewhere.of('signal').length, mayNot.of('signal').length]).toEqual([
      300, 0, 0,
    ]);
    await sender.say({ type: 'signal', topic: 'a', data: null });
    expect(sender.last()).toMatchObject({ code: 'rate_limited' });
    await mayNot.say({ type: 'signal', topic: 'a' });
    expect(mayNot.last()).toMatchObject({ type: 'error', code: 'forbidden' });
  });

  test('presence is shown to those who show themselves', async () => {
    const [one, two, silent] = [
      new Client(world, { session: '1' }),
      new Client(world, { session: '2' }),
      new Client(world),
    ];
    await one.say({ type: 'presence', state: 'here' });
    await two.say({ type: 'presence', state: 'too' });
    await two.say({ type: 'presence', state: 'away' });
    two.socket.close();
    world.hub.left(two.socket);
    const shown = (session: string, state: string) => ({ session, actor: 'USER:1', state });
    expect(two.of('presence')[0]).toEqual({ type: 'presence', members: [shown('1', 'here'), shown('2', 'too')] });
    expect(one.of('presence').slice(1)).toEqual([
      { type: 'presence', joined: shown('2', 'too') },
      { type: 'presence', changed: shown('2', 'away') },
      { type: 'presence', left: '2' },
    ]);
    expect(silent.of('presence')).toEqual([]);
  });
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
    await happen(1, 'c');
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
    await happen(5100);
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
    await happen(3);
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
    await happen(3);
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
    await happen(1100);
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
    await happen(5);
    world.crash(0);
    if (isRenewed) world.restore(3);
    else world.log = world.log.slice(0, 3);
    for (let n = 0; n < 2; n += 1) world.commit('b');
    const back = new Client(world, { session: 'r' });
    await back.subscribe({ resume: { epoch: 'e001', revision: 5 } });
    await happen(1);
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
      await happen(1);
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
    await happen(1, 'a');
    expect(client.last()).toMatchObject({ type: 'batch_update', prev: 0, revision: 1, messages: [] });
  });

  test('nothing from before an erasure is told again out of the ring', async () => {
    const client = new Client(world);
    await client.subscribe();
    await happen(3);
    world.hub.published({ epoch: 'e001', revision: 4 }, [world.commit('a', true)]);
    world.log = world.log.map((change) => ({ ...change, after: { value: 'scrubbed' } }));
    await client.subscribe({ resume: { epoch: 'e001', revision: 0 } });
    const told = client.frames.slice(client.frames.findLastIndex(({ type }) => type === 'subscribed'));
    expect(JSON.stringify(told)).not.toContain('e001:1');
    expect(told.flatMap(({ messages = [] }) => messages as object[])).toHaveLength(4);
  });

  test('who never confirms is closed once ten seconds and 256 KiB are over, others are not', async () => {
    const [slow, good] = [new Client(world), new Client(world, { session: 'g' })];
    await slow.subscribe();
    await good.subscribe();
    for (let n = 0; n < 150; n += 1) {
      await happen(30);
      const frame = good.last();
      if (frame?.ack === true) await good.say({ type: 'ack', revision: frame.revision });
    }
    expect([slow.code, good.code]).toEqual([4008, null]);
  });
});

describe('how it ends', () => {
  test('after five silent minutes, while who pings stays', () => {
    const [silent, pings] = [new Client(world), new Client(world, { session: 'p' })];
    expect(world.hub.sweep()).toBe(world.now + 300_000);
    world.now += 200_000;
    world.pinged.set(pings.socket, world.now);
    world.now += 99_999;
    expect(world.hub.sweep()).toBe(world.now + 1);
    expect(silent.code).toBeNull();
    world.now += 1;
    expect(world.hub.sweep()).toBe(world.now + 200_000);
    expect([silent.code, pings.code]).toEqual([4001, null]);
  });

  test('when the credential expires, unless a ticket came before', async () => {
    const until = world.now + 60_000;
    const [ends, stays] = [
      new Client(world, { expiresAt: until }),
      new Client(world, { expiresAt: until, session: 's' }),
    ];
    world.tickets.set('good', { ...stays.socket.member, expiresAt: until + 60_000 });
    world.tickets.set('foreign', { ...stays.socket.member, company: 'comp_2' });
    await ends.say({ type: 'refresh', id: 1, ticket: 'foreign' });
    expect(ends.last()).toMatchObject({ type: 'error', id: 1, code: 'invalid_ticket' });
    await stays.say({ type: 'refresh', id: 2, ticket: 'good' });
    expect(stays.last()).toEqual({ type: 'refreshed', id: 2, expiresAt: new Date(until + 60_000).toISOString() });
    world.now = until;
    world.hub.sweep();
    expect([ends.code, stays.code]).toEqual([4009, null]);
  });

  test('at once where the room hears of it, and a smaller role sees less from that change on', async () => {
    const [revoked, narrowed] = [new Client(world, { credential: 'k' }), new Client(world, { actor: 'USER:9' })];
    await narrowed.subscribe();
    world.hub.end('k');
    expect(revoked.code).toBe(4503);
    world.grants.set(1, { actor: 'USER:9', grant: { role: 'ONE' } });
    await happen(1, 'a');
    await happen(1, 'a');
    await happen(1, 'c');
    const topics = narrowed.of('batch_update').flatMap((frame) => frame.messages as { topic: string }[]);
    expect(topics.map(({ topic }) => topic)).toEqual(['c']);
    world.grants.set(4, { actor: 'USER:9', grant: null });
    await happen(1, 'c');
    expect(narrowed.code).toBe(4503);
  });
});
