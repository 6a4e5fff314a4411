import { expect, test } from 'vitest';
import { parseId } from '../../../src/core/id.ts';
import type { Api, Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import { dayAfter, dayAt } from '../analytics/model.ts';

// A branch whose zone changes: appointments stay when they are and are told by its new clock, from yesterday on.

const world = await sharedWorld();
const fresh = { headers: { 'Cache-Control': 'no-cache' } };
const idsOf = (list: Json): unknown[] => (list.data as Json[]).map(({ id }) => id);
const placeOf = (appointment: Json) => ({ timeZone: appointment.timeZone, localStart: appointment.localStart });

async function salonIn(api: Api, timeZone: string) {
  const branchId = (await api.post('/branches', { name: timeZone, timeZone })).json.id;
  const serviceId = (await api.post('/services', { name: 'Cut', durationMinutes: 30 })).json.id;
  const own = { branchIds: [branchId], serviceIds: [serviceId] };
  const staffId = (await api.post('/staff', { firstName: 'Eve', ...own })).json.id;
  const what = { branchId, staffId, services: [{ serviceId }, { serviceId }] };
  const book = async (startsAt: string, more: Json = {}): Promise<Json> => {
    const reply = await api.post('/appointments', { ...what, startsAt, ...more });
    expect(reply.status, reply.text).toBe(201);
    return reply.json;
  };
  return { branchId, staffId, serviceId, book };
}

/** When appointments are, today in the old zone among them: 23:00 is another day in either new one, or 01:30 is. */
const OLD = 'Europe/London';
const today = dayAt(Date.now(), OLD);
const next = Number(today.slice(0, 4)) + 1;
const STARTS = [
  ...[`${today}T00:30:00.000Z`, `${today}T22:30:00.000Z`],
  ...[`${next}-01-15T06:15:00.000Z`, `${next}-07-15T01:30:00.000Z`, `${next + 1}-12-31T23:30:00.000Z`],
];

// The second is a zone that was changed in 2026: of Postgres and the runtime one may not know it yet.
test.each(['Pacific/Auckland', 'America/Edmonton'])('to %s', async (zone) => {
  const { api } = await openCompany(world);
  const salon = await salonIn(api, OLD);
  const other = await salonIn(api, OLD);
  const past = await salon.book(`${dayAfter(today, -20)}T23:00:00.000Z`, { status: 'CONFIRMED' });
  const coming: Json[] = [];
  for (const startsAt of STARTS) coming.push(await salon.book(startsAt));
  await api.post(`/appointments/${coming[3]?.id}/status`, { status: 'CANCELLED' });
  const elsewhere = await other.book(STARTS[2] as string);
  // As whoever books there would be told: the runtime's zones.
  const there = await salonIn(api, zone);
  const expected = await Promise.all(STARTS.map(async (startsAt) => placeOf(await there.book(startsAt))));

  const days = [...new Set([...coming, past, ...expected].map(({ localStart }) => String(localStart).slice(0, 10)))];
  const boards = days.flatMap((date) => [
    `/appointments?branchId=${salon.branchId}&date=${date}&status=PENDING,CONFIRMED,CANCELLED`,
    `/appointments?staffId=${salon.staffId}&date=${date}&status=PENDING,CONFIRMED,CANCELLED`,
  ]);
  const free = `/availability?serviceId=${salon.serviceId}&branchId=${salon.branchId}&from=${next}-01-14&to=${next}-01-16`;
  await Promise.all([...boards, free].map((path) => api.get(path)));
  const held = await api.post('/holds', { ...salon, book: undefined, startsAt: `${next}-02-01T10:00:00Z` });

  const patched = await api.patch(`/branches/${salon.branchId}`, { timeZone: zone, name: 'Moved' });
  expect(patched.status, patched.text).toBe(200);
  expect(patched.json).toMatchObject({ timeZone: zone, name: 'Moved' });
  const min = { headers: { 'Min-Revision': String(patched.revision) } };

  for (const [n, { id, startsAt, endsAt, status: _status, ...before }] of coming.entries()) {
    const now = (await api.get(`/appointments/${id}`, min)).json;
    expect(now).toMatchObject({ ...expected[n], startsAt, endsAt, staffId: before.staffId, price: before.price });
    const parts = await world.sql(
      `select to_char(local_date + local_start, 'YYYY-MM-DD"T"HH24:MI') as at from appointment_parts where appointment_id = $1 order by position`,
      [parseId('appt', String(id))],
    );
    expect(parts[0]?.at).toBe(now.localStart);
    expect(Date.parse(`${parts[1]?.at}Z`) - Date.parse(`${parts[0]?.at}Z`)).toBe(30 * 60_000);
  }
  for (const same of [past, elsewhere])
    expect((await api.get(`/appointments/${same.id}`, min)).json).toMatchObject({ ...placeOf(same), version: 1 });
  expect((await api.get(`/holds/${held.json.id}`, min)).json.timeZone).toBe(zone);

  // What was cached equals what is computed, and each day shows who begins on it.
  const told = [past, ...coming.map(({ id }, n) => ({ id, ...expected[n] }) as Json)];
  for (const [n, path] of boards.entries()) {
    const cached = await api.get(path, min);
    expect(cached.text, path).toBe((await api.get(path, fresh)).text);
    const date = days[Math.floor(n / 2)];
    expect(new Set(idsOf(cached.json)), path).toEqual(
      new Set(told.filter(({ localStart }) => String(localStart).startsWith(`${date}T`)).map(({ id }) => id)),
    );
  }
  expect((await api.get(free, min)).text).toBe((await api.get(free, fresh)).text);
  const taken = await api.post('/appointments', {
    ...salon,
    book: undefined,
    serviceId: undefined,
    services: [{ serviceId: salon.serviceId }],
    startsAt: STARTS[2],
  });
  expect(taken.json.code).toBe('slot_taken');

  // One revision for each, and for the branch and the hold.
  const events = (await api.get(`/events?after=${patched.revision - STARTS.length - 2}&limit=100`)).json.data as Json[];
  expect(events.map(({ type }) => type).toSorted()).toEqual(
    ['branch.updated', 'hold.updated', ...STARTS.map(() => 'appointment.updated')].toSorted(),
  );
  expect((await api.patch(`/branches/${salon.branchId}`, { timeZone: zone })).revision).toBe(patched.revision);
  // The same from a console, by the zones that are known there.
  await world.sql(`update branches set time_zone = $2 where id = $1`, [parseId('brch', String(salon.branchId)), OLD]);
  const back = await world.sql(
    `select distinct time_zone, local_date + local_start = starts_at at time zone time_zone as same from appointments where branch_id = $1`,
    [parseId('brch', String(salon.branchId))],
  );
  expect(back).toEqual([{ time_zone: OLD, same: true }]);
});

test('who came once before that is new once, whatever the clock showed', async () => {
  const { api } = await openCompany(world);
  const salon = await salonIn(api, 'Pacific/Auckland');
  const clientId = (await api.post('/clients', { firstName: 'Ann' })).json.id;
  const day = dayAfter(today, -30);
  const visit = await salon.book(`${day}T20:30:00Z`, { clientId });
  expect(String(visit.localStart).slice(0, 10)).toBe(dayAfter(day));
  await api.patch(`/branches/${salon.branchId}`, { timeZone: 'America/Los_Angeles' });
  const { json } = await api.get(
    `/analytics/clients?branchId=${salon.branchId}&from=${dayAfter(day)}&to=${dayAfter(day, 2)}`,
    fresh,
  );
  expect((json.data as Json[]).map(({ key, count }) => [key, count])).toEqual([
    ['NEW', 1],
    ['RETURNING', 0],
  ]);
});
