import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newCompany } from '../../support/company.ts';
import { listen, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { openRigged, orderRoom, type Rigged } from '../../support/rigged.ts';
import { until } from '../../support/until.ts';

// Rooms that fail for a while, and rooms that the runtime puts to sleep by itself.

let world: Rigged;
beforeAll(async () => {
  world = await openRigged();
});
afterAll(() => world.close());

/** More than the platform rings again for an alarm that throws. */
const FAILURES = 10;

test('a room whose alarm fails ten times announces what was committed all the same', async () => {
  const salon = await newCompany(world);
  const room = (order: Parameters<typeof orderRoom>[2]) =>
    orderRoom(world.worker, uuidOf('comp', salon.companyId), order);
  const listener = await listen(salon.api);
  await listener.subscribe();
  await room({ do: 'line', line: { dropped: 1, doubled: 0, late: 0, mostMs: 0 } });
  await room({ do: 'fail alarms', count: FAILURES });
  const { revision } = await salon.api.post('/clients', { firstName: 'Told by nobody' });
  await until(
    'its alarm has failed',
    async () => {
      const told = listener.messages();
      const { alarmsFailed } = await room({ do: 'report' });
      if (alarmsFailed < FAILURES) expect(told).toEqual([]);
      return alarmsFailed === FAILURES;
    },
    180_000,
  );
  await until('it announces', () => listener.of('batch_update').at(-1)?.revision === revision);
  await room({ do: 'line', line: { dropped: 0, doubled: 0, late: 0, mostMs: 0 } });
  await listener.close();
});

test('a room that can no longer forget old tickets announces what was committed, and looks after who listens', async () => {
  const salon = await newCompany(world);
  const id = uuidOf('comp', salon.companyId);
  const room = (order: Parameters<typeof orderRoom>[2]) => orderRoom(world.worker, id, order);
  await room({ do: 'fail', statements: 'delete from tickets' });
  const listener = await listen(salon.api);
  await listener.subscribe();
  const failed = async () => (await room({ do: 'report' })).statementsFailed;
  await until('its ticket has ended, and the room cannot forget it', async () => (await failed()) > 0, 180_000);
  await room({ do: 'line', line: { dropped: 1, doubled: 0, late: 0, mostMs: 0 } });
  const { revision } = await salon.api.post('/clients', { firstName: 'Told by nobody' });
  await until('it announces', () => listener.of('batch_update').at(-1)?.revision === revision);
  await world.sql('update sessions set revoked_at = now() where company_id = $1', [id], 'cp_owner');
  await until('the session is seen to have ended', () => listener.socket.readyState >= WebSocket.CLOSING, 90_000);
  expect(await listener.closed()).toBe(4503);
  await room({ do: 'fail', statements: null });
});

/** After so long without anything the runtime has a room sleep. */
const IDLE_MS = 12_000;

test('a room that took two sockets in the same moment is put to sleep by the runtime, and keeps them', async () => {
  const salon = await newCompany(world);
  const begun = async () => (await orderRoom(world.worker, uuidOf('comp', salon.companyId), { do: 'report' })).begun;
  const tickets = await Promise.all([ticketOf(salon.api), ticketOf(salon.api)]);
  const listeners = tickets.map(
    ({ url, ticket }) => new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`])),
  );
  for (const listener of listeners) await listener.subscribe();
  const before = await begun();
  // Its look at who listens comes in between.
  await until(
    'its constructor runs again',
    async () => {
      await pause(IDLE_MS);
      const [first] = listeners;
      const heard = first?.of('presence').length ?? 0;
      first?.say({ type: 'presence', state: heard });
      const other = listeners[1];
      other?.say({ type: 'presence', state: heard });
      await first?.next('presence', heard);
      return (await begun()) > before;
    },
    240_000,
  );
  const { revision } = await salon.api.post('/clients', { firstName: 'After its sleep' });
  for (const listener of listeners) {
    await until('told', () => listener.of('batch_update').at(-1)?.revision === revision);
    expect(listener.code).toBeNull();
    await listener.close();
  }
});
