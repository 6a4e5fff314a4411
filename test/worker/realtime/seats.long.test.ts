import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { addMember } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { listen, type Ticket, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { openRigged, orderRoom, type Rigged } from '../../support/rigged.ts';
import { until } from '../../support/until.ts';

// Who has a seat in a room, over lines that break and behind the end of its memory.

let world: Rigged;
beforeAll(async () => {
  world = await openRigged({ ROOM_MAX_CONNECTIONS: '5' });
});
afterAll(() => world.close());

const room = (companyId: string, order: Parameters<typeof orderRoom>[2]) =>
  orderRoom(world.worker, uuidOf('comp', companyId), order);
const open = ({ url, ticket }: Pick<Ticket, 'url' | 'ticket'>) =>
  new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
/** @returns its close code, or that it is let in */
async function outcomeOf(listener: WireListener): Promise<number | 'in'> {
  const isIn = () => listener.of('welcome').length > 0;
  await until('an answer', () => isIn() || listener.socket.readyState >= WebSocket.CLOSING);
  return isIn() ? 'in' : listener.closed();
}
const outcome = (ticket: Ticket) => outcomeOf(open(ticket));
/** The connection below the WebSocket. */
const lineOf = ({ socket }: WireListener) => Reflect.get(socket, '_socket');

test('one ticket opens one socket, however often and whenever it is shown', async () => {
  const { api, companyId } = await openCompany(world);
  const ticket = await ticketOf(api);
  const shown = await Promise.all(Array.from({ length: 10 }, () => outcome(ticket)));
  expect(shown.sort()).toEqual([...Array.from({ length: 9 }, () => 4501), 'in']);
  await room(companyId, { do: 'sleep' });
  expect(await outcome(ticket)).toBe(4501);
  const [used, unused] = [await ticketOf(api), await ticketOf(api)];
  expect(await outcome(used)).toBe('in');
  await room(companyId, { do: 'kill' });
  // It is not known any more which of them was used.
  expect([await outcome(used), await outcome(unused)]).toEqual([4009, 4009]);
  await until('another is good', async () => (await outcome(await ticketOf(api))) === 'in');
  expect(await outcome(used)).toBe(4009);
});

test('lines that are reset, and one that carries what is no frame, leave seats; nobody takes that of another', async () => {
  const salon = await openCompany(world);
  const member = await addMember(world, salon, 'ADMIN');
  const third = await addMember(world, salon, 'STAFF');
  // Nobody has more than half: whoever has gives up one to another.
  const seated = await Promise.all([salon, salon, member, member, third].map(({ api }) => listen(api)));
  const [first, second] = seated as [WireListener, WireListener];
  for (const one of [first, second]) {
    one.say({ type: 'presence', state: 'here' });
    await one.next('presence');
  }
  const { session } = await first.next('welcome');
  expect(await outcome(await ticketOf(member.api, { session }))).toBe(4013);
  expect(first.code).toBeNull();
  // All three bits that nobody has a use for.
  lineOf(second).write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
  const left = () => first.of('presence').some((frame) => frame.left === second.of('welcome')[0]?.session);
  await until('the others hear that it is gone', left);
  const next = await listen(salon.api);
  expect(await outcome(await ticketOf(salon.api))).toBe(4013);
  const tickets = await Promise.all(seated.map(() => ticketOf(salon.api)));
  const all = [...seated, next];
  for (const one of all) lineOf(one).resetAndDestroy();
  await until('their ends', () => all.every(({ code }) => code !== null));
  expect(await Promise.all(tickets.map(outcome))).toEqual(tickets.map(() => 'in'));
  expect(await outcome(await ticketOf(salon.api))).toBe(4013);
});

test('a full frame of lists, of which one character in each is not Latin, is taken, and the connection goes on', async () => {
  const { api } = await openCompany(world);
  const listener = await listen(api);
  listener.say({ type: 'presence', state: 'ж'.repeat(1000) });
  await listener.next('presence');
  const path = `/clients?search=ж&fields=${'id,'.repeat(650)}id`;
  const queries = Array.from({ length: 4 }, (_, id) => ({ id, path }));
  expect((await listener.subscribe({ queries })).recovered).toBe(false);
  const { revision } = await api.post('/clients', { firstName: 'Told' });
  await until('told', () => listener.of('batch_update').at(-1)?.revision === revision);
  await listener.close();
});
