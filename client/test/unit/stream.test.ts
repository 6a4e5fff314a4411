import { afterEach, describe, expect, test, vi } from 'vitest';
import { openStream, type Stream, type Wanted } from '../../src/index.ts';
import { refusal } from '../support/fake-host.ts';
import { change, EPOCH, type FakeRoom, room } from '../support/fake-room.ts';

// The rules of a client (R1 to R8) and what a room may do besides.

type Heard = { messages: number[]; fresh: number[]; resumed: number[]; states: string[]; ended: unknown[] };

function heardOf(stream: Stream): Heard {
  const heard: Heard = { messages: [], fresh: [], resumed: [], states: [], ended: [] };
  stream.on('message', ({ revision }) => heard.messages.push(revision));
  stream.on('fresh', ({ revision }) => heard.fresh.push(revision));
  stream.on('resumed', ({ revision }) => heard.resumed.push(revision));
  stream.on('state', (state) => heard.states.push(state));
  stream.on('ended', (end) => heard.ended.push(end));
  return heard;
}

let opened: Stream | null = null;
afterEach(() => opened?.close());

async function start(revision = 10, wanted: Wanted = {}): Promise<{ fake: FakeRoom; stream: Stream; heard: Heard }> {
  const fake = await room();
  const stream = openStream(fake.client, wanted);
  opened = stream;
  const heard = heardOf(stream);
  await fake.live(revision);
  return { fake, stream, heard };
}

describe('each change once and in order', () => {
  test('R1 what was had is not told again, R2 a gap is not applied but asked for, once', async () => {
    const { fake, heard } = await start();
    expect(heard.fresh).toEqual([10]);
    fake.batch(10, 11, [change(11)]);
    fake.batch(10, 11, [change(11)]);
    fake.batch(10, 12, [change(11), change(12)]);
    fake.batch(14, 15, [change(15)]);
    fake.batch(15, 16, [change(16)]);
    expect(heard.messages).toEqual([11, 12]);
    const asked = fake.socket.frames.filter(({ type }) => type === 'subscribe');
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ companyId: 'comp_1', resume: { epoch: EPOCH, revision: 12 } });
    fake.accept(12, { recovered: true });
    fake.batch(12, 16, [change(13), change(16)]);
    expect(heard.messages).toEqual([11, 12, 13, 16]);
    expect(heard.resumed).toEqual([12]);
  });

  test('R3 the place is taken before anybody is told, so that a listener asks for nothing twice', async () => {
    const { fake, stream, heard } = await start();
    stream.on('message', () => stream.want({ topics: ['clients'] }));
    fake.batch(10, 11, [change(11)]);
    expect(fake.subscribed).toMatchObject({ topics: ['clients'], resume: { revision: 11 } });
    expect(heard.messages).toEqual([11]);
  });

  test('R3 a listener that throws keeps nothing from the others, nor from the next frame', async () => {
    const thrown: unknown[] = [];
    const report = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => {
      try {
        run();
      } catch (error) {
        thrown.push(error);
      }
    });
    const { fake, stream } = await start();
    stream.on('message', () => {
      throw new Error('theirs');
    });
    const after = heardOf(stream);
    fake.batch(10, 11, [change(11)]);
    fake.batch(11, 12, [change(12)]);
    report.mockRestore();
    expect(after.messages).toEqual([11, 12]);
    expect(thrown).toHaveLength(2);
  });

  test("R4 what an earlier socket says is nobody's", async () => {
    const { fake, heard } = await start();
    const before = fake.socket;
    before.drop(1006);
    await fake.host.pass(3000);
    await fake.greet();
    before.tell({ type: 'batch_update', prev: 10, revision: 11, messages: [change(11)], timestamp: 0 });
    before.drop(4503);
    fake.accept(10, { recovered: true });
    fake.batch(10, 11, [change(11)]);
    expect(heard.messages).toEqual([11]);
    expect(heard.ended).toEqual([]);
    expect(await fake.sessions()).toEqual([null, 'rts_1']);
  });

  test('R5 another history comes with `reset` alone, and forgets what was seen of the old one', async () => {
    const { fake, stream, heard } = await start();
    fake.batch(10, 11, [change(11)]);
    await fake.client.get('/clients');
    expect(fake.host.asked.at(-1)?.headers.get('min-revision')).toBe('11');
    const reasons: string[] = [];
    stream.on('reset', (reason) => reasons.push(reason));
    fake.socket.tell({ type: 'reset', reason: 'epoch_changed', epoch: 'epoch-2', revision: 5 });
    expect(fake.subscribed).not.toHaveProperty('resume');
    fake.batch(11, 12, [change(12)]);
    fake.accept(5, { epoch: 'epoch-2' });
    fake.batch(5, 6, [change(6)]);
    expect([reasons, heard.fresh, heard.messages]).toEqual([['epoch_changed'], [10, 5], [11, 6]]);
    await fake.client.get('/clients');
    expect(fake.host.asked.at(-1)?.headers.get('min-revision')).toBe('6');
  });

  test('what is asked for is confirmed, also where it was had', async () => {
    const { fake } = await start();
    fake.batch(10, 11, [change(11)], { ack: true });
    fake.batch(10, 11, [change(11)], { ack: true });
    expect(fake.socket.frames.filter(({ type }) => type === 'ack')).toEqual(
      Array(2).fill({ type: 'ack', revision: 11 }),
    );
  });

  test('of two subscriptions on their way the later counts', async () => {
    const fake = await room();
    const stream = openStream(fake.client, { topics: ['clients'] });
    opened = stream;
    const heard = heardOf(stream);
    await fake.greet();
    const first = fake.subscribed.id;
    stream.want({ topics: ['staff'] });
    fake.socket.tell({
      type: 'subscribed',
      id: first,
      topics: ['clients'],
      epoch: EPOCH,
      revision: 3,
      recovered: false,
    });
    fake.batch(3, 4, [change(4)]);
    fake.accept(4);
    expect([heard.fresh, heard.messages]).toEqual([[4], []]);
  });
});

describe('R7 whether the other side is there', () => {
  test('a ping each 30 s, byte for byte; silence between is no death', async () => {
    const { fake, heard } = await start();
    for (let n = 0; n < 20; n += 1) {
      await fake.host.pass(30_000);
      expect(fake.socket.said.at(-1)).toBe('{"type":"ping"}');
      fake.socket.tell({ type: 'pong' });
    }
    expect(heard.states.at(-1)).toBe('live');
    expect(fake.host.sockets).toHaveLength(1);
  });

  test('a ping that nothing follows for 10 s is one, a late frame of any kind is none', async () => {
    const { fake, heard } = await start();
    await fake.host.pass(39_000);
    fake.batch(10, 11);
    await fake.host.pass(21_000);
    expect(heard.states.at(-1)).toBe('live');
    await fake.host.pass(10_000);
    expect(heard.states.at(-1)).toBe('waiting');
    expect(fake.socket.closed).toBe(1000);
  });

  test('a server that does not greet, or does not answer, is left', async () => {
    const fake = await room();
    opened = openStream(fake.client);
    await fake.host.pass(10_000);
    expect(fake.socket.closed).toBe(1000);
    await fake.host.pass(3000);
    await fake.greet();
    await fake.host.pass(10_000);
    expect(fake.host.sockets).toHaveLength(2);
    expect(fake.socket.closed).toBe(1000);
  });
});

describe('R8 coming back', () => {
  test('at a random moment of 3 s, then of twice as long each time, at most 30 s; from the beginning once it went well', async () => {
    const { fake } = await start();
    const pauses: number[] = [];
    fake.host.chance = 0.999;
    const drop = async (): Promise<void> => {
      fake.socket.drop(1006);
      const [pause = 0] = fake.host.due;
      pauses.push(Math.round(pause / 100) / 10);
      await fake.host.pass(pause);
    };
    for (let n = 0; n < 7; n += 1) await drop();
    expect(pauses).toEqual([3, 2, 4, 8, 16, 30, 30]);
    await fake.live(10);
    await fake.host.pass(10_000);
    pauses.length = 0;
    await drop();
    expect(pauses).toEqual([3]);
  });

  test.each([
    [1000, true],
    [1001, true],
    [1006, true],
    [1011, true],
    [1012, true],
    [4001, true],
    [4003, true],
    [4008, true],
    [4009, true],
    [4013, true],
    [4029, true],
    [4500, false],
    [4501, false],
    [4502, false],
    [4503, false],
    [4505, false],
  ])('after %i: %s', async (code, comesBack) => {
    const { fake, stream, heard } = await start();
    fake.socket.drop(code);
    await fake.host.pass(70_000);
    expect(fake.host.sockets.length > 1).toBe(comesBack);
    if (comesBack) return;
    expect([stream.state, heard.ended]).toEqual(['ended', [{ code, error: null }]]);
    expect(fake.host.due).toEqual([]);
  });

  test('a full room is not asked again for 30 s', async () => {
    const { fake } = await start();
    fake.host.chance = 0;
    fake.socket.drop(4013);
    await fake.host.pass(29_000);
    expect(fake.host.sockets).toHaveLength(1);
    await fake.host.pass(1000);
    expect(fake.host.sockets).toHaveLength(2);
  });

  test('at once when the network is back or the page is seen; not at all while there is none', async () => {
    const { fake, stream } = await start();
    fake.socket.drop(1006);
    fake.host.wake('offline');
    await fake.host.pass(60_000);
    expect(fake.host.sockets).toHaveLength(1);
    fake.host.wake('online');
    await fake.host.pass(0);
    expect(fake.host.sockets).toHaveLength(2);
    fake.socket.drop(1006);
    fake.host.wake('visible');
    await fake.host.pass(0);
    expect(fake.host.sockets).toHaveLength(3);
    await fake.live(10);
    fake.host.wake('visible');
    expect(fake.socket.said.at(-1)).toBe('{"type":"ping"}');
    expect(stream.state).toBe('live');
  });

  test('a ticket that cannot be had now is asked for again, one that is refused is not', async () => {
    const fake = await room();
    fake.tickets = () => refusal(503, 'busy');
    const stream = openStream(fake.client);
    opened = stream;
    await fake.host.pass(60_000);
    expect([stream.state, fake.host.asked.length > 2]).toEqual(['waiting', true]);
    fake.tickets = () => refusal(403, 'forbidden');
    await fake.host.pass(60_000);
    expect(stream.state).toBe('ended');
  });
});

describe('a subscription that is refused', () => {
  test('for a moment is asked for again when that has passed', async () => {
    const fake = await room();
    opened = openStream(fake.client);
    await fake.greet();
    const more = { code: 'rate_limited', message: '', temporary: true, retryAfterMs: 1200 };
    fake.socket.tell({ type: 'error', id: fake.subscribed.id, ...more });
    await fake.host.pass(1200);
    expect(fake.socket.frames.map(({ id }) => id)).toEqual([1, 2]);
  });

  test('for good ends it, unless one was taken before', async () => {
    const { fake, stream, heard } = await start();
    const refuse = { type: 'error', code: 'forbidden', message: '', temporary: false };
    stream.want({ topics: ['secrets'] });
    fake.socket.tell({ ...refuse, id: fake.subscribed.id });
    expect(stream.state).toBe('live');
    fake.socket.drop(1006);
    await fake.host.pass(3000);
    await fake.greet();
    fake.socket.tell({ ...refuse, id: fake.subscribed.id });
    expect([stream.state, heard.ended]).toEqual([
      'ended',
      [{ code: null, error: { ...refuse, id: expect.any(Number) } }],
    ]);
  });
});

describe('credentials', () => {
  test('are renewed a minute before they end, over the same socket, again and again', async () => {
    const { fake } = await start();
    for (let n = 1; n <= 3; n += 1) {
      for (let s = 0; s < 18; s += 1) {
        await fake.host.pass(30_000);
        fake.socket.tell({ type: 'pong' });
      }
      const refreshes = fake.socket.frames.filter(({ type }) => type === 'refresh');
      expect(refreshes).toHaveLength(n);
      expect(refreshes.at(-1)).toMatchObject({ id: expect.any(Number), ticket: 't1' });
      fake.socket.tell({ type: 'refreshed', id: refreshes.at(-1)?.id });
    }
    expect(fake.host.asked.filter(({ url }) => url.endsWith('/auth/refresh'))).toHaveLength(3);
    expect(fake.host.sockets).toHaveLength(1);
  });

  test('that somebody signs out of end it', async () => {
    const { fake, stream } = await start();
    await fake.client.signOut();
    expect([stream.state, fake.socket.closed]).toEqual(['ended', 1000]);
    expect(fake.host.due).toEqual([]);
  });
});

test('signals and presence go both ways', async () => {
  const { fake, stream } = await start();
  const told: unknown[] = [];
  stream.on('signal', ({ data }) => told.push(data));
  stream.on('presence', ({ members }) => told.push(members));
  stream.signal('clients', { typing: true });
  stream.present({ name: 'Nora' });
  fake.socket.tell({ type: 'signal', topic: 'clients', from: 'rts_9', data: 5 });
  fake.socket.tell({ type: 'presence', members: [] });
  expect(fake.socket.frames.slice(1)).toEqual([
    { type: 'signal', topic: 'clients', data: { typing: true } },
    { type: 'presence', state: { name: 'Nora' } },
  ]);
  expect(told).toEqual([5, []]);
});
