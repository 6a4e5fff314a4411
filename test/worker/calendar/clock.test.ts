import { expect, test } from 'vitest';
import { parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { faults, imported } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';

// What is booked at a time of the wall clock is shown at that time, whatever Postgres knows of the zone.

const world = await sharedWorld();
const { api, companyId } = await openCompany(world);

async function salonIn(timeZone: string): Promise<(more: Json) => Promise<Json>> {
  const branch = await api.post('/branches', { name: timeZone, timeZone });
  const service = await api.post('/services', { name: 'Cut', durationMinutes: 30 });
  const own = { branchIds: [branch.json.id], serviceIds: [service.json.id] };
  const staff = await api.post('/staff', { firstName: 'Eve', ...own });
  const serviceId = service.json.id;
  const what = { branchId: branch.json.id, staffId: staff.json.id, services: [{ serviceId }, { serviceId }] };
  return async (more) => {
    const reply = await api.post('/appointments', { ...what, ...more });
    expect(reply.status, reply.text).toBe(201);
    return reply.json;
  };
}

// Zones that were changed in 2026: of two sources one may not know it yet.
test.each(['America/Edmonton', 'America/Vancouver', 'Africa/Casablanca'])('in %s', async (timeZone) => {
  const book = await salonIn(timeZone);
  const booked = await book({ localStart: '2027-01-15T00:15' });
  expect(booked.localStart).toBe('2027-01-15T00:15');
  const listed = async (date: string): Promise<unknown> =>
    ((await api.get(`/appointments?branchId=${booked.branchId}&date=${date}`)).json.data as Json[]).map(({ id }) => id);
  expect([await listed('2027-01-14'), await listed('2027-01-15')]).toEqual([[], [booked.id]]);
  const moved = await api.post(`/appointments/${booked.id}/reschedule`, { localStart: '2026-12-31T23:45' });
  expect(moved.json.localStart).toBe('2026-12-31T23:45');
  const parts = await world.sql(
    `select local_date::text || ' ' || local_start as at from appointment_parts where appointment_id = $1 order by position`,
    [parseId('appt', String(booked.id))],
  );
  expect(parts.map(({ at }) => at)).toEqual(['2026-12-31 23:45:00', '2027-01-01 00:15:00']);
  const series = await api.post('/appointments/series', {
    ...{
      branchId: booked.branchId,
      staffId: booked.staffId,
      services: [{ serviceId: (booked.services as Json[])[0]?.serviceId }],
    },
    ...{ localStart: '2026-10-30T08:00', rrule: 'FREQ=WEEKLY;COUNT=6' },
  });
  expect(series.status, series.text).toBe(201);
  for (const { appointmentId, localStart } of series.json.occurrences as Json[])
    expect((await api.get(`/appointments/${appointmentId}`)).json.localStart).toBe(localStart);
});

test('of a file', async () => {
  const zones = ['America/Edmonton', 'Africa/Casablanca', 'Africa/El_Aaiun', 'Europe/Vienna'];
  const starts = ['2026-12-31T23:45', '2027-07-15T00:15', '2190-12-31T23:45', '2019-01-15T09:00'];
  const what = await Promise.all(
    zones.map(async (timeZone) => {
      const own = { branchIds: [(await api.post('/branches', { name: timeZone, timeZone })).json.id] };
      const service = await api.post('/services', { name: 'Cut', durationMinutes: 30 });
      const staff = await api.post('/staff', { firstName: timeZone, ...own, serviceIds: [service.json.id] });
      const serviceId = service.json.id;
      return { branchId: own.branchIds[0], staffId: staff.json.id, services: [{ serviceId }, { serviceId }] };
    }),
  );
  const rows = (at: readonly string[]): Json[] =>
    what.flatMap((each, z) =>
      at.map((localStart, i) => ({ externalId: `file-${z}-${i}`, ...each, localStart, status: 'CONFIRMED' })),
    );
  const kept = () =>
    world.sql(
      `select a.external_id as id, to_char(a.local_date + a.local_start, 'YYYY-MM-DD"T"HH24:MI') as at,
        to_char(p.local_date + p.local_start, 'YYYY-MM-DD"T"HH24:MI') as second
      from appointments a join appointment_parts p on p.appointment_id = a.id and p.position = 2
      where a.external_id like 'file-%' and a.company_id = $1 order by 1`,
      [parseId('comp', companyId)],
    );
  const half = (local: string): string => new Date(Date.parse(`${local}Z`) + 30 * 60_000).toISOString().slice(0, 16);
  const expected = (at: readonly string[]) =>
    what.flatMap((_, z) => at.map((local, i) => ({ id: `file-${z}-${i}`, at: local, second: half(local) })));
  for (const at of [starts, starts.map((each) => each.replace('-15T', '-16T'))]) {
    const file = rows(at)
      .map((row) => JSON.stringify(row))
      .join('\n');
    const job = await imported(api, file, { resource: 'appointments', type: 'application/x-ndjson' });
    expect([faults(job), job.failed]).toEqual([{}, 0]);
    expect(await kept()).toEqual(expected(at));
  }
});

test('many at once, far apart and in several zones', async () => {
  const books = await Promise.all(['America/Edmonton', 'Africa/Casablanca'].map(salonIn));
  const those = await Promise.all(books.map((book) => book({ localStart: '2030-01-15T09:00' })));
  const starts = ['2026-03-01T00:15', '2027-01-15T00:15', '2027-07-15T23:45', '2190-12-31T23:45'];
  const items = those.flatMap(({ branchId, staffId, services }) =>
    starts.map((localStart) => ({
      ...{ branchId, staffId, localStart },
      services: [{ serviceId: (services as Json[])[0]?.serviceId }],
    })),
  );
  const { json } = await api.post('/appointments/bulk', { mode: 'atomic', items });
  const shown = (json.data as Json[]).map(async ({ id }) => (await api.get(`/appointments/${id}`)).json.localStart);
  expect(await Promise.all(shown)).toEqual([...starts, ...starts]);
});

test('a write that says what it knows of a zone is believed, any other one has Postgres’ zones', async () => {
  const booked = await (await salonIn('Europe/Vienna'))({ localStart: '2027-06-01T09:00' });
  const id = parseId('appt', String(booked.id));
  const at = async (clock: unknown, shift: string): Promise<unknown> => {
    await world.sql(`begin; select set_config('app.clock', '${JSON.stringify(clock)}', true);
      update appointments set starts_at = starts_at + interval '${shift}' where id = '${id}'; commit`);
    return (await world.sql(`select local_date + local_start as at from appointments where id = $1`, [id]))[0]?.at;
  };
  const known = {
    'Europe/Vienna': [
      [null, 90],
      [Date.parse('2027-06-02T00:00Z') / 60_000, 735],
    ],
  };
  expect(await at(known, '1 hour')).toEqual(new Date(2027, 5, 1, 9, 30));
  expect(await at(known, '1 day')).toEqual(new Date(2027, 5, 2, 20, 15));
  expect(await at({ 'Europe/Paris': [[null, 0]] }, '1 hour')).toEqual(new Date(2027, 5, 2, 11, 0));
});
