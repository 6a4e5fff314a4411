import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { listen, type WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { openRigged, orderRoom, type Rigged } from '../../support/rigged.ts';
import { until } from '../../support/until.ts';

// A room's memory is taken from it as the platform does, in real workerd: sockets stay open, and nobody notices.

let world: Rigged;
let salon: Tenant;
let listener: WireListener;
let from: number;
beforeAll(async () => {
  world = await openRigged();
  salon = await openCompany(world);
  listener = await listen(salon.api);
  from = Number((await listener.subscribe()).revision);
});
afterAll(() => world.close());

const room = (order: Parameters<typeof orderRoom>[2]) =>
  orderRoom(world.worker, uuidOf('comp', salon.companyId), order);
const begun = async (): Promise<number> => (await room({ do: 'report' })).begun;
const add = (name: string) => salon.api.post('/clients', { firstName: name });
const reached = (who: WireListener, head: number) =>
  until(`told up to ${head}`, () => (who.of('batch_update').at(-1)?.revision ?? -1) === head);
/** Every revision since it subscribed, once and in order. */
const expectWhole = (head: number): void => {
  expect(listener.messages().map(({ revision }) => revision)).toEqual(
    Array.from({ length: head - from }, (_, n) => from + 1 + n),
  );
  expect(listener.socket.readyState).toBe(WebSocket.OPEN);
};

test('idle: its constructor runs again with the next message, and with the next change', async () => {
  const before = await begun();
  await room({ do: 'sleep' });
  listener.say({ type: 'presence', state: 'here' });
  await listener.next('presence');
  expect(await begun()).toBe(before + 1);
  await room({ do: 'sleep' });
  // The platform answers by itself.
  listener.say('{"type":"ping"}');
  await listener.next('pong');
  expect(await begun()).toBe(before + 1);
  const { revision } = await add('Wakes it');
  await reached(listener, revision);
  expect(await begun()).toBe(before + 2);
  expectWhole(revision);
});

test('told to sleep with a frame that waits for its time, and with a change that came before the one before it', async () => {
  const before = await begun();
  // More than the burst: the last ones wait for a timer.
  const burst = Array.from({ length: 4 }, () => salon.api.post('/clients/bulk', bulk(3)));
  const asleep = Promise.race(burst).then(() => room({ do: 'sleep' }));
  await asleep;
  let head = Math.max(...(await Promise.all(burst)).map(({ revision }) => revision));
  await reached(listener, head);
  expectWhole(head);
  await room({ do: 'line', line: { dropped: 0, doubled: 0.5, late: 0.5, mostMs: 300 } });
  const late = Array.from({ length: 4 }, (_, n) => add(`Late ${n}`));
  await Promise.race(late);
  await room({ do: 'sleep' });
  head = Math.max(...(await Promise.all(late)).map(({ revision }) => revision));
  await room({ do: 'line', line: { dropped: 0, doubled: 0, late: 0, mostMs: 0 } });
  await reached(listener, head);
  const { revision } = await add('After them');
  await reached(listener, revision);
  expectWhole(revision);
  expect(await begun()).toBeGreaterThanOrEqual(before + 2);
});

const bulk = (count: number) => ({
  mode: 'atomic',
  items: Array.from({ length: count }, (_, n) => ({ firstName: `Of a burst ${n}` })),
});

test('told to sleep while somebody is caught up from the log: only when that is done', async () => {
  const other = await listen(salon.api);
  const { epoch } = await other.next('welcome');
  // Farther back than the ring is whole: from before the sockets.
  world.neon.setBudget(0);
  const caughtUp = other.subscribe({ resume: { epoch, revision: 0 } });
  const asleep = room({ do: 'sleep' });
  world.neon.setBudget(null);
  const { recovered, replay } = await caughtUp;
  const head = Number(replay);
  expect(recovered).toBe(true);
  await reached(other, head);
  await asleep;
  expect(other.messages().map(({ revision }) => revision)).toEqual(Array.from({ length: head }, (_, n) => n + 1));
  const { revision } = await add('After it');
  await reached(other, revision);
  await reached(listener, revision);
  expectWhole(revision);
  await other.close();
});

test('ended under its sockets, it takes them back where they were', async () => {
  await room({ do: 'kill' });
  await until('its sockets are gone', () => listener.code !== null);
  expect(listener.code).toBe(1006);
  const revision = listener.of('batch_update').at(-1)?.revision;
  const { revision: missed } = await add('Missed');
  const back = await listen(salon.api);
  const { epoch } = await back.next('welcome');
  expect(await back.subscribe({ resume: { epoch, revision } })).toMatchObject({ recovered: true, revision });
  await reached(back, missed);
  expect(back.messages().map((message) => message.revision)).toEqual([missed]);
  await back.close();
});
