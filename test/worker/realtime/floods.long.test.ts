import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openCompany } from '../../support/company.ts';
import { listen, ticketOf, WireListener } from '../../support/listener.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Who comes to a room faster than anybody who works: what they are told, and that others are let in meanwhile.

const world = await sharedWorld();
/** More than go in by the pace of the door in the time it takes to ask, and more than may wait for that. */
const CROWD = 800;

test('beyond those who may wait, sockets that are opened with a ticket end with 4029, with a bearer in 429; others wait for nothing', async () => {
  const [salon, other] = [await openCompany(world), await openCompany(world)];
  const { url, ticket } = await ticketOf(salon.api);
  const headers = { Authorization: `Bearer ${salon.api.token}` };
  const statuses: number[] = [];
  const crowd = Array.from({ length: CROWD }, (_, n) => {
    if (n % 4 > 0) return new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
    const socket = new WebSocket(url, { headers });
    socket.on('unexpected-response', (asked, { statusCode, headers: said }) => {
      statuses.push(Number(said['retry-after']) > 0 ? (statusCode ?? 0) : 0);
      asked.destroy();
      socket.terminate();
    });
    return new WireListener(socket);
  });
  const isOver = ({ socket }: WireListener): boolean => socket.readyState >= WebSocket.CLOSING;
  await until('some of both are refused', () => statuses.length > 0 && crowd.filter(isOver).length > CROWD / 8);
  const calm = await listen(other.api);
  await calm.close();
  const isIn = (one: WireListener): boolean => one.of('welcome').length > 0;
  await until('all are answered', () => crowd.every((one) => isOver(one) || isIn(one)));
  const withTicket = crowd.filter((_, n) => n % 4 > 0);
  const codes = await Promise.all(withTicket.filter((one) => !isIn(one)).map((one) => one.closed()));
  expect(new Set(codes)).toEqual(new Set([4029, 4501]));
  expect(withTicket.filter(isIn)).toHaveLength(1);
  expect(new Set(statuses)).toEqual(new Set([429]));
  for (const one of crowd) one.socket.terminate();
});

test('so do tickets, which are refused with when to come again', async () => {
  const [salon, other] = [await openCompany(world), await openCompany(world)];
  const asked = Promise.all(Array.from({ length: CROWD }, () => salon.api.post('/realtime/tickets')));
  expect((await other.api.post('/realtime/tickets')).status).toBe(201);
  const replies = await asked;
  const refused = replies.filter(({ status }) => status !== 201);
  expect(refused.length).toBeGreaterThan(0);
  for (const reply of refused) {
    expectProblem(reply, 'rate_limited');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  }
});
