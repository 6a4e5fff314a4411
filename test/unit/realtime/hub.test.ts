import { beforeEach, describe, expect, test } from 'vitest';
import { Credit } from '../../../src/realtime/hub/credit.ts';
import { Client, happen } from './hub-client.ts';
import { HubWorld } from './hub-world.ts';

// What a room says to one client: the frames and close codes of the contract. Order under faults: hub.property.test.ts.

let world: HubWorld;
beforeEach(() => {
  world = new HubWorld();
});

type Shown = { session: string; state: string };

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
    const half = (n: number) => ({ session: `s${n}`, actor: n < 50 ? 'USER:1' : 'USER:3' });
    const clients = Array.from({ length: 100 }, (_, n) => new Client(world, half(n)));
    expect(new Client(world, { session: 'late' }).code).toBe(4013);
    const back = new Client(world, { session: 'again' }, 's7');
    expect([back.code, clients[7]?.code]).toEqual([null, 4500]);
    // Another's connection is no ghost of one's own.
    expect(new Client(world, { session: 'thief', actor: 'USER:2' }, 's8').code).toBe(4013);
    expect(clients[8]?.code).toBeNull();
  });

  test('nobody has all of it: who has more than half gives up what they took last to another, not to themselves', () => {
    const colleague = new Client(world, { session: 'c', actor: 'USER:2' });
    const since = (n: number) => world.now + ((n * 7) % 99);
    const crowd = Array.from({ length: 99 }, (_, n) => new Client(world, { session: `s${n}`, connectedAt: since(n) }));
    expect(new Client(world, { session: 'more' }).code).toBe(4013);
    const comers = Array.from(
      { length: 50 },
      (_, n) => new Client(world, { session: `k${n}`, actor: `USER:${n + 3}` }),
    );
    expect(comers.filter(({ code }) => code !== null).length).toBe(1);
    expect(crowd.map(({ code }) => code)).toEqual(crowd.map((_, n) => (since(n) < world.now + 50 ? null : 4013)));
    expect(colleague.code).toBeNull();
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

  test('any texts may be named as topics, and a list by a number', async () => {
    const client = new Client(world);
    const topics = ['a', 'x'.repeat(2000), ...Array.from({ length: 60 }, () => 'a')];
    await client.subscribe({ topics });
    expect(client.last()).toMatchObject({ type: 'subscribed', topics: ['a'] });
    await client.subscribe({ queries: [{ id: 7, path: '/nowhere' }] });
    expect(client.last()).toMatchObject({ type: 'error', code: 'unknown_query' });
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
    // Another user has a measure of their own, in which pings are not counted.
    const other = new Client(world, { actor: 'USER:2' });
    for (let n = 0; n < 200; n += 1) await other.say({ type: 'ping' });
    await other.subscribe();
    expect([other.of('pong').length, other.of('subscribed').length]).toEqual([200, 1]);
  });

  test.each([{ type: 'ping' }, { type: 'ack', revision: 77 }])(
    'who sends more than three hundred of $type at once, and 25 a second, is closed',
    async (frame) => {
      const client = new Client(world);
      for (let n = 0; n < 300; n += 1) await client.say(frame);
      world.pass(1000);
      for (let n = 0; n < 25; n += 1) await client.say(frame);
      expect(client.code).toBeNull();
      await client.say(frame);
      expect(client.code).toBe(4029);
    },
  );

  test('a confirmation counts as asked for once', () => {
    const credit = new Credit(undefined, () => 1);
    for (let n = 1; n <= 32; n += 1) credit.spend(10, n, 0);
    expect([credit.confirm(32), credit.confirm(32)]).toEqual([true, false]);
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

  test('signals of a whole company have a measure as well: drags of many pass, floods of large ones do not', async () => {
    const listeners = Array.from(
      { length: 100 },
      (_, n) => new Client(world, { session: `s${n}`, actor: `USER:${n}` }),
    );
    for (const listener of listeners) await listener.subscribe({ topics: ['a'] });
    const [first, last] = [listeners[0] as Client, listeners[99] as Client];
    /** Five signals of each of these, in the course of a second. */
    const second = async (senders: readonly Client[], length: number): Promise<void> => {
      for (let n = 0; n < 5; n += 1) {
        for (const sender of senders) await sender.say({ type: 'signal', topic: 'a', data: 'x'.repeat(length) });
        world.pass(200);
      }
    };
    for (let n = 0; n < 3; n += 1) await second(listeners.slice(0, 10), 100);
    expect([last.of('signal').length, first.of('error')]).toEqual([150, []]);
    for (let n = 0; n < 10; n += 1) await second(listeners.slice(0, 20), 7900);
    const heard = last.of('signal').slice(150).length * 99 * 7900;
    expect(heard).toBeLessThan(8 * 2 ** 20 + 10.5 * 2 * 2 ** 20);
    expect(heard).toBeGreaterThan(10 * 2 ** 20);
    expect(first.last()).toMatchObject({ type: 'error', code: 'rate_limited', temporary: true });
    expect(first.code).toBeNull();
  });

  test('what all show of themselves has that measure too: it is told late, and as it is then', async () => {
    const all = Array.from({ length: 100 }, (_, n) => new Client(world, { session: `s${n}`, actor: `USER:${n}` }));
    for (const one of all) await one.subscribe({ topics: ['a'] });
    const last = all[99] as Client;
    const told = () => last.of('presence') as { joined?: Shown; changed?: Shown }[];
    const says = (n: number, at: number): string => `${at} of ${n} ${'x'.repeat(900)}`;
    for (let at = 0; at < 40; at += 1)
      for (const [n, one] of all.slice(0, 20).entries()) await one.say({ type: 'presence', state: says(n, at) });
    expect(told().length * 99 * 900).toBeLessThan(8 * 2 ** 20);
    for (let n = 0; n < 20; n += 1) world.pass(100);
    expect(told().length * 99 * 900).toBeLessThan(12 * 2 ** 20);
    const states = new Map(
      told().map(({ joined, changed }) => [(joined ?? changed)?.session, (joined ?? changed)?.state]),
    );
    for (let n = 0; n < 20; n += 1) expect(states.get(`s${n}`)).toBe(says(n, 39));
    expect(all.map(({ code }) => code)).toEqual(all.map(() => null));
    expect(world.isQuiet()).toBe(true);
  });

  test('presence is shown to those who show themselves, and to those who listen', async () => {
    const [one, two, silent, listens] = [
      new Client(world, { session: '1' }),
      new Client(world, { session: '2' }),
      new Client(world),
      new Client(world, { session: 'l' }),
    ];
    await listens.subscribe();
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
    expect(listens.of('presence')).toEqual([
      { type: 'presence', joined: shown('1', 'here') },
      ...one.of('presence').slice(1),
    ]);
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
    await happen(world, 1, 'a');
    await happen(world, 1, 'a');
    await happen(world, 1, 'c');
    const topics = narrowed.of('batch_update').flatMap((frame) => frame.messages as { topic: string }[]);
    expect(topics.map(({ topic }) => topic)).toEqual(['c']);
    world.grants.set(4, { actor: 'USER:9', grant: null });
    await happen(world, 1, 'c');
    expect(narrowed.code).toBe(4503);
  });
});
