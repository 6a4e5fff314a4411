import { describe, expect, test } from 'vitest';
import { openStream } from '../../src/index.ts';
import { json, refusal } from '../support/fake-host.ts';
import { room } from '../support/fake-room.ts';
import { start } from '../support/heard.ts';

// When a stream comes back, when it does not, and what keeps it.

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

  test.each([
    [29_000, false],
    [31_000, true],
  ])('after 4501 to a ticket that was asked for %i ms ago: %s', async (ms, comesBack) => {
    const fake = await room();
    fake.tickets = () => json({ url: 'ws://api.test/room', ticket: 't', expiresIn: 30 }, { status: 201 });
    openStream(fake.client);
    await fake.host.pass(0);
    // Nothing runs in a machine that sleeps.
    fake.host.time += ms;
    fake.socket.drop(4501);
    await fake.host.pass(70_000);
    expect(fake.host.sockets.length > 1).toBe(comesBack);
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

  test('when it was told to, where too many come for a ticket, at a random moment after that', async () => {
    const fake = await room();
    fake.tickets = () => refusal(429, 'rate_limited', {}, { 'Retry-After': '20' });
    openStream(fake.client);
    await fake.host.pass(0);
    await fake.host.pass(19_999);
    expect(fake.host.asked).toHaveLength(1);
    await fake.host.pass(3001);
    expect(fake.host.asked).toHaveLength(2);
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
    openStream(fake.client);
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
