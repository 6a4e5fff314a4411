import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LOOKED_AFTER_WITHIN } from '../../../src/core/upgrade.ts';
import { newCompany } from '../../support/company.ts';
import { listen, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { until } from '../../support/until.ts';
import { openWorld, type World } from '../../support/world.ts';

// Sessions that end behind everybody's back: no mark in Redis, nothing said to the room. Its own look finds them.

/** What a machine that is slow adds, ms. */
const LATE = 15_000;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test('a room looks after those it let in: an ended session is closed soon, is not let in again, and a living one is', async () => {
  const [salon, other] = [await newCompany(world), await newCompany(world)];
  const id = uuidOf('comp', salon.companyId);
  const setRevoked = (to: string) =>
    world.sql(`update sessions set revoked_at = ${to} where company_id = $1`, [id], 'cp_owner');
  const [ends, stays] = [await listen(salon.api), await listen(other.api)];
  await setRevoked('now()');
  await until('it is closed', () => ends.socket.readyState >= WebSocket.CLOSING, LOOKED_AFTER_WITHIN + LATE);
  expect(await ends.closed()).toBe(4503);

  // The token is good for minutes and nobody has marked its end, so that a ticket is given; the room remembers.
  const open = async () => {
    const { url, ticket } = await ticketOf(salon.api);
    return new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
  };
  const again = await open();
  expect([await again.closed(), again.frames]).toEqual([4503, []]);
  // What was wrong about it is not kept against anybody.
  await setRevoked('null');
  const back = await open();
  await back.next('welcome');
  expect(stays.code).toBeNull();
  await Promise.all([back.close(), stays.close()]);
});
