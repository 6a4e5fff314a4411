import { beforeEach, describe, expect, test } from 'vitest';
import { Client, happen } from './hub-client.ts';
import { HubWorld } from './hub-world.ts';

// What a room sends to those who read slowly, not at all, or only say that they read.

/** What may be unconfirmed, and a frame that begins below it. */
const MOST = 256 * 1024 + 80 * 1024;
const PATIENCE = 10_000;
const LARGE = 8000;

let world: HubWorld;
beforeEach(() => {
  world = new HubWorld();
});

const revisions = (client: Client): number[] =>
  client.of('batch_update').flatMap((frame) => (frame.messages as { revision: number }[]).map((each) => each.revision));
const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n);
/** Those of a client who reads nothing are not awaited: it may be brought somewhere for as long as it is there. */
const subscribe = async (client: Client, revision: number): Promise<void> => {
  const command = { type: 'subscribe', id: 1, companyId: 'comp_1', resume: { epoch: 'e001', revision } };
  void world.hub.hear(client.socket, JSON.stringify(command));
  await world.answerAll();
};
const mute = (session: string): Client => {
  const client = new Client(world, { session });
  client.confirms = false;
  return client;
};

describe('who confirms nothing', () => {
  test('of what happens is sent 256 KiB and no more, and is closed after ten seconds; others hear all of it', async () => {
    const [silent, good] = [mute('m'), new Client(world, { session: 'g' })];
    await silent.subscribe();
    await good.subscribe();
    for (let n = 0; n < 40; n += 1) await happen(world, 10, 'a', LARGE);
    expect(silent.length).toBeGreaterThan(256 * 1024);
    expect(silent.length).toBeLessThan(MOST);
    world.pass(PATIENCE);
    expect([silent.code, good.code]).toEqual([4008, null]);
    expect(revisions(good)).toEqual(from(1, 400));
  });

  test('of small changes is sent them for as long as they are few', async () => {
    const silent = mute('m');
    await silent.subscribe();
    for (let n = 0; n < 50; n += 1) {
      await happen(world, 20);
      world.pass(PATIENCE);
    }
    expect(silent.code).toBeNull();
    expect(revisions(silent)).toEqual(from(1, 1000));
  });

  test.each([
    ['the ring', false],
    ['the log', true],
  ])('of what it missed is told again no more either out of %s, however often it asks', async (_, isGone) => {
    const earlier = new Client(world);
    await earlier.subscribe();
    await happen(world, 400, 'a', LARGE);
    if (isGone) world.emptyRing();
    const silent = mute('m');
    for (let n = 0; n < 50; n += 1) await subscribe(silent, 0);
    expect(silent.of('batch_update').length).toBeGreaterThan(0);
    expect(silent.length).toBeLessThan(MOST + 50 * 200);
    world.pass(PATIENCE);
    expect(silent.code).toBe(4008);
  });

  test('of what others signal hears 256 KiB and no more, others hear all of it', async () => {
    const [silent, good] = [mute('m'), new Client(world, { session: 'g' })];
    const speak = new Client(world, { session: 's', actor: 'USER:2' });
    for (const one of [silent, good, speak]) await one.subscribe();
    await happen(world, 1);
    for (let n = 0; n < 100; n += 1) {
      await speak.say({ type: 'signal', topic: 'a', data: 'x'.repeat(LARGE) });
      world.pass(200);
    }
    expect(silent.length).toBeGreaterThan(256 * 1024);
    expect(silent.length).toBeLessThan(MOST);
    expect([silent.code, good.of('signal').length]).toEqual([null, 100]);
    // What it is asked with says nothing new.
    expect(good.of('batch_update').slice(1)).toEqual(
      good
        .of('batch_update')
        .slice(1)
        .map(({ timestamp }) => ({ type: 'batch_update', prev: 1, revision: 1, messages: [], timestamp, ack: true })),
    );
    await happen(world, 1);
    expect(silent.code).toBe(4008);
  });

  test('and only shows itself hears of others for as long as it is little, and may listen yet', async () => {
    const [shown, other] = [mute('m'), new Client(world, { session: 'o' })];
    for (const one of [shown, other]) await one.say({ type: 'presence', state: 'here' });
    for (let n = 0; n < 400; n += 1) {
      world.pass(1200);
      await other.say({ type: 'presence', state: 'x'.repeat(1000) });
    }
    expect(shown.length).toBeLessThan(MOST / 2);
    await shown.subscribe();
    await happen(world, 1);
    expect([shown.code, revisions(shown)]).toEqual([null, [1]]);
  });

  test('is not forgiven by a sleep of the room', async () => {
    const silent = mute('m');
    await silent.subscribe();
    for (let n = 0; n < 30; n += 1) {
      await happen(world, 10, 'a', LARGE);
      await world.answerAll();
      if (world.isQuiet()) world.hibernate();
    }
    expect(silent.length).toBeLessThan(MOST + 64 * 1024);
  });
});

test('whoever comes back too late to be told more is closed, and nothing waits for them any longer', async () => {
  const silent = mute('m');
  await silent.subscribe();
  for (let n = 0; n < 30; n += 1) await happen(world, 10, 'a', LARGE);
  // Else it would stand behind what waits already.
  world.hub.left(silent.socket);
  world.now += PATIENCE;
  await silent.subscribe({ resume: { epoch: 'e001', revision: 0 } });
  expect(silent.code).toBe(4008);
});

describe('a room that sleeps often', () => {
  const SLEEPS = 60;
  const sleep = async (): Promise<void> => {
    await world.answerAll();
    expect(world.isQuiet()).toBe(true);
    world.hibernate();
  };

  test('keeps one who showed itself for long and then listens', async () => {
    const [shown, other] = [new Client(world, { session: 's' }), new Client(world, { session: 'o' })];
    for (let n = 0; n < SLEEPS; n += 1) {
      for (const one of [other, shown]) await one.say({ type: 'presence', state: n });
      await sleep();
      world.pass(1200);
    }
    await shown.subscribe();
    await happen(world, 1);
    expect([shown.code, revisions(shown)]).toEqual([null, [1]]);
  });

  test('keeps one who says again and again what it listens to', async () => {
    const client = new Client(world);
    await client.subscribe();
    for (let n = 0; n < SLEEPS; n += 1) {
      await sleep();
      world.pass(1200);
      await client.subscribe({ resume: { epoch: 'e001', revision: 0 } });
    }
    await happen(world, 1);
    expect([client.code, revisions(client)]).toEqual([null, [1]]);
  });
});

describe('who confirms late', () => {
  test('goes on where it was, and has all of it', async () => {
    const late = mute('l');
    await late.subscribe();
    for (let n = 0; n < 10; n += 1) await happen(world, 40, 'a', LARGE);
    world.pass(PATIENCE / 2);
    late.confirms = true;
    await late.confirm(late.of('batch_update').findLast(({ ack }) => ack === true)?.revision);
    for (let n = 0; n < 100; n += 1) await world.answerAll();
    await happen(world, 1);
    expect(revisions(late)).toEqual(from(1, 401));
    world.pass(PATIENCE);
    expect(late.code).toBeNull();
  });

  test('and is brought on while the log cannot be read comes back', async () => {
    const late = mute('l');
    await late.subscribe();
    for (let n = 0; n < 40; n += 1) await happen(world, 10, 'a', LARGE);
    world.emptyRing();
    void late.confirm(late.of('batch_update').findLast(({ ack }) => ack === true)?.revision);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    for (const { fail } of world.asked.splice(0)) fail(new Error('away'));
    await world.answerAll();
    expect(late.code).toBe(4003);
  });

  test('is asked of the log for about as much as it takes', async () => {
    const earlier = new Client(world);
    await earlier.subscribe();
    await happen(world, 200, 'a', 20 * LARGE);
    world.emptyRing();
    const late = mute('l');
    await subscribe(late, 0);
    const asked: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      void late.confirm(late.of('batch_update').findLast(({ ack }) => ack === true)?.revision);
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      asked.push(...world.asked.map(({ most }) => most));
      await world.answerAll();
    }
    expect(Math.max(...asked)).toBeLessThanOrEqual(16);
  });
});

describe('who confirms without reading', () => {
  /** What a company can know of the frames of its room: those of a socket that reads. */
  test.each([
    ['each revision', LARGE, (revision: number) => [revision]],
    ['each revision of large changes', 10 * LARGE, (revision: number) => [revision]],
    ['ever beyond all there is', LARGE, () => [Number.MAX_SAFE_INTEGER]],
  ])('%s, is believed for a while', async (_, length, said) => {
    const [blind, reads] = [mute('b'), new Client(world, { session: 'r' })];
    await blind.subscribe();
    await reads.subscribe();
    for (let n = 0; n < 1000 && blind.code === null; n += 1) {
      await happen(world, 1, 'a', length);
      for (const revision of said(world.log.length)) await blind.confirm(revision);
      await world.answerAll();
    }
    expect(blind.code).toBe(4008);
    expect(blind.length).toBeLessThan(8 * 2 ** 20);
    expect([reads.code, revisions(reads).length]).toEqual([null, world.log.length]);
  });

  test('is told so once, at the ninth that nobody asked for, and never one who answers what asks', async () => {
    const [eager, good] = [mute('e'), new Client(world, { session: 'g' })];
    await eager.subscribe();
    await good.subscribe();
    const told: number[] = [];
    for (let n = 0; n < 24; n += 1) {
      await happen(world, 1);
      await eager.confirm(world.log.length);
      told.push(eager.of('error').length);
    }
    expect(told.slice(0, 8)).toEqual(Array(8).fill(0));
    expect(told.slice(8)).toEqual(Array(16).fill(1));
    expect(eager.of('error')[0]).toMatchObject({ code: 'bad_frame', message: expect.stringContaining('"ack": true') });
    expect(good.of('error')).toEqual([]);
  });

  test('while who answers with where it is by now, or twice, is believed as far as it may be', async () => {
    const loose = mute('l');
    await loose.subscribe();
    for (let n = 0; n < 6; n += 1) {
      await happen(world, 20, 'a', LARGE);
      await loose.confirm(world.log.length);
      await world.answerAll();
    }
    expect(revisions(loose)).toEqual(from(1, 120));
  });
});
