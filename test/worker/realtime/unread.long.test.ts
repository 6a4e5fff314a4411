import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openCompany } from '../../support/company.ts';
import { type Frame, listen, type WireListener } from '../../support/listener.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Sockets that read nothing: what a room sends to them all the same is counted once they do. To the frame: unit/realtime/hub.readers.

const world = await ownWorld({ ROOM_MESSAGES_PER_MINUTE: '1000' });
const BULKS = 6;
/** About the characters of all changes that are made. */
const ALL = BULKS * 100 * 10_000;

/** The connection below the WebSocket. */
const lineOf = ({ socket }: WireListener) => Reflect.get(socket, '_socket');

/** Counts what comes over a socket from now on. */
function counted(listener: WireListener): { length: number } {
  const told = { length: 0 };
  listener.socket.on('message', (data) => {
    told.length += String(data).length;
  });
  return told;
}

const large = Array.from({ length: 100 }, (_, n) => ({ firstName: `Large ${n}`, notes: 'n'.repeat(9900) }));

test('who confirms what it has not read is believed for a while; who asks again and again to be told is told once', async () => {
  const { api } = await openCompany(world);
  const [reads, blind] = [await listen(api), await listen(api)];
  for (const one of [reads, blind]) await one.subscribe();
  const { epoch, revision: began } = reads.of('subscribed')[0] as Frame;
  const toBlind = counted(blind);
  lineOf(blind).pause();
  reads.socket.on('message', (data) => {
    const { type, ack, revision } = JSON.parse(String(data)) as Frame;
    if (type !== 'batch_update') return;
    if (ack === true) reads.say({ type: 'ack', revision });
    if (blind.socket.readyState === WebSocket.OPEN) blind.say({ type: 'ack', revision });
  });
  let head = 0;
  for (let n = 0; n < BULKS; n += 1) {
    const reply = await api.post('/clients/bulk', { mode: 'atomic', items: large });
    head = reply.revision;
    await until('told', () => reads.of('batch_update').at(-1)?.revision === head, 60_000);
  }
  expect(reads.messages().map(({ revision }) => revision)).toEqual(
    Array.from({ length: head - Number(began) }, (_, n) => Number(began) + 1 + n),
  );

  const asks = await listen(api);
  const toAsking = counted(asks);
  const { companyId } = await asks.next('welcome');
  const resume = { epoch, revision: began };
  for (let id = 1; id <= 5; id += 1) asks.say({ type: 'subscribe', id, companyId, topics: ['clients'], resume });
  lineOf(blind).resume();
  // Both have had ten seconds for what they were asked.
  expect([await blind.closed(), await asks.closed()]).toEqual([4008, 4008]);
  expect(toBlind.length).toBeLessThan(ALL / 2);
  expect(toAsking.length).toBeLessThan(ALL / 10);
  await reads.close();
});
