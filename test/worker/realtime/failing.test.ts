import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newCompany, openCompany } from '../../support/company.ts';
import { listen, type Ticket, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { openRigged, orderRoom, type Rigged } from '../../support/rigged.ts';

// Rooms whose storage fails, and whose clock is set, over real sockets.

let world: Rigged;
beforeAll(async () => {
  world = await openRigged();
});
afterAll(() => world.close());
afterEach(() => step(0));

/** Less than a token lives, and more than any test waits, ms. */
const STEP = 300_000;
const room = (companyId: string, order: Parameters<typeof orderRoom>[2]) =>
  orderRoom(world.worker, uuidOf('comp', companyId), order);
const step = (ahead: number) => orderRoom(world.worker, '', { do: 'step', ahead });
const open = ({ url, ticket }: Pick<Ticket, 'url' | 'ticket'>) =>
  new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));

test('while it cannot be kept that a ticket was used, whoever comes is to come again, and is let in as soon as it can be', async () => {
  const { api, companyId } = await openCompany(world);
  await room(companyId, { do: 'fail', statements: 'into doubt' });
  const ticket = await ticketOf(api);
  const codes = [await open(ticket).closed(), await open(ticket).closed()];
  expect(codes).toEqual([4009, 4009]);
  await room(companyId, { do: 'fail', statements: null });
  const listener = open(ticket);
  await listener.next('welcome');
  expect(await open(ticket).closed()).toBe(4501);
  await listener.close();
});

test('a clock that steps back five minutes: whoever says something has the room look after who listens', async () => {
  await step(STEP);
  const { api, companyId } = await newCompany(world);
  const listener = await listen(api);
  const revoke = 'update sessions set revoked_at = now() where company_id = $1';
  await world.sql(revoke, [uuidOf('comp', companyId)], 'cp_owner');
  await step(0);
  listener.say({ type: 'presence', state: 'here' });
  expect(await listener.closed()).toBe(4503);
});
