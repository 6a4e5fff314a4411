import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../../local/ports.ts';
import { bundleHalf, type Half, startApi, startRooms } from '../../support/apart.ts';
import { Api, signUp } from '../../support/api.ts';
import { listen, ticketOf } from '../../support/listener.ts';
import { until } from '../../support/until.ts';
import { openStack, type Stack } from '../../support/world.ts';

// Rooms as a Worker of their own (docs/operations.md), each in a workerd of its own, as they are bundled for it.

let stack: Stack;
let rooms: Half;
let api: Half;
let folder: string;
let startAgain: () => Promise<Half>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clientsplus-apart-'));
  stack = await openStack();
  const roomsBundle = await bundleHalf('wrangler.rooms.toml', join(folder, 'rooms'));
  const apiBundle = await bundleHalf('wrangler.api.toml', join(folder, 'api'));
  const registry = join(folder, 'registry');
  rooms = await startRooms({ bundle: roomsBundle, vars: stack.vars, registry });
  const port = await freePort();
  const vars = { ...stack.vars, ROOMS_URL: rooms.url };
  startAgain = () => startApi({ bundle: apiBundle, vars, registry, port });
  api = await startAgain();
});
afterAll(async () => {
  await api?.stop();
  await rooms?.stop();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the API is deployed again, and its sockets stay open and hear what is written through the new one', async () => {
  const salon = await signUp(new Api(api.url));
  const { url } = await ticketOf(salon.api);
  expect(url).toBe(`${rooms.url.replace('http', 'ws')}/api/v1/realtime`);
  const listeners = [await listen(salon.api), await listen(salon.api)];
  for (const listener of listeners) await listener.subscribe();
  const add = async (firstName: string) => (await salon.api.post('/clients', { firstName })).revision;
  const told = (head: number) =>
    until(`told of ${head}`, () => listeners.every((one) => one.of('batch_update').at(-1)?.revision === head));
  await told(await add('Before'));

  await api.stop();
  for (const listener of listeners) {
    listener.say('{"type":"ping"}');
    await listener.next('pong');
  }
  api = await startAgain();
  let head = -1;
  await until('it finds its rooms again', async () => {
    head = await add('After').catch(() => -1);
    return head > 0;
  });
  await told(head);
  for (const { socket, code } of listeners) expect([socket.readyState, code]).toEqual([WebSocket.OPEN, null]);

  // Rooms do what else they do without the API: nobody announces this write but the room that was told to expect it.
  const other = await fetch(`${rooms.url}/api/v1/clients`);
  expect(other.status).toBe(404);
  const byBearer = new WebSocket(url, { headers: { Authorization: `Bearer ${salon.api.token}` } });
  await until('a bearer opens one there as well', () => byBearer.readyState === WebSocket.OPEN);
  byBearer.close();
  await Promise.all(listeners.map((listener) => listener.close()));
});
