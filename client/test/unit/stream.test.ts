import { describe, expect, test, vi } from 'vitest';
import { ownHost } from '../../src/host.ts';
import { ApiClient, openStream } from '../../src/index.ts';
import { openLive } from '../../src/live.ts';
import { settled } from '../support/fake-host.ts';
import { change, EPOCH, room } from '../support/fake-room.ts';
import { heardOf, start } from '../support/heard.ts';

// The rules of a client (R1 to R8) and what a room may do besides.

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

describe('where no socket opens', () => {
  test('whoever asks for changes is told so at once', async () => {
    const fake = await room();
    vi.stubGlobal('WebSocket', undefined);
    const client = new ApiClient({ url: 'http://api.test', host: { ...fake.host, socket: ownHost.socket } });
    expect(() => openStream(client)).toThrow('host: { socket }');
    expect(() => openLive(client)).toThrow('host: { socket }');
    vi.unstubAllGlobals();
  });

  test('a stream comes back after an answer in the place of a ticket, as of a network that wants a sign-in', async () => {
    const fake = await room();
    const { tickets } = fake;
    const { host } = fake.client;
    const { socket } = host;
    host.socket = (url, protocols) => socket(new URL(url).href, protocols);
    fake.tickets = () => new Response('<h1>Welcome</h1>');
    const stream = openStream(fake.client);
    await settled();
    expect([stream.state, fake.host.sockets]).toEqual(['waiting', []]);
    fake.tickets = tickets;
    await fake.host.pass(3000);
    await fake.live(10);
    expect(stream.state).toBe('live');
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
    openStream(fake.client);
    await fake.host.pass(10_000);
    expect(fake.socket.closed).toBe(1000);
    await fake.host.pass(3000);
    await fake.greet();
    await fake.host.pass(10_000);
    expect(fake.host.sockets).toHaveLength(2);
    expect(fake.socket.closed).toBe(1000);
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
