import { expect, test } from 'vitest';
import { newUuid, parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import { dayAfter, dayAt } from './model.ts';

// The dashboard of a company whose branches are on two days at once.

const world = await sharedWorld();
const { api, companyId } = await openCompany(world);
const company = String(parseId('comp', companyId));
const [ZONE, FAR] = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'];
await api.patch('/company', { timeZone: ZONE });
const here = String((await api.post('/branches', { name: 'Here', timeZone: ZONE })).json.id);
const there = String((await api.post('/branches', { name: 'There', timeZone: FAR })).json.id);
const uuid = (id: string): string => String(parseId(id.slice(0, id.indexOf('_')) as 'brch', id));
const zoneOf = (branch: string | null): string => (branch === there ? FAR : ZONE);

const now = Math.floor(Date.now() / 60_000) * 60_000;
const HOUR = 3_600_000;
const STATUSES = ['PENDING', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW'];
const clients: string[] = await Promise.all(
  Array.from({ length: 4 }, async (_, n) => String((await api.post('/clients', { firstName: `Client ${n}` })).json.id)),
);
await api.post(`/clients/${clients[0]}/merge`, { sourceId: clients[1] });

/** From five weeks ago to two days ahead, not at a moment that comes while the test looks. */
const visits = Array.from({ length: 400 }, (_, n) => ({
  ...{ branch: n % 3 === 0 ? there : here, status: STATUSES[n % 7] as string },
  at: now + (n < 200 ? (n - 100) * HOUR * 0.45 : -(n - 200) * 4.25 * HOUR) + 17 * 60_000,
  client: n % 50 === 0 ? clients[2] : null,
}));
const rows = visits.map(({ branch, status, at, client }) => ({
  ...{ company_id: company, id: newUuid(), branch_id: uuid(branch), status, starts_at: new Date(at).toISOString() },
  ...{
    time_zone: zoneOf(branch),
    local_date: dayAt(at, zoneOf(branch)),
    client_id: client == null ? null : uuid(client),
  },
}));
const part = JSON.stringify([
  {
    ...{ serviceId: newUuid(), staffId: newUuid(), name: 'Cut', startOffsetMinutes: 0, durationMinutes: 30 },
    ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], price: null, taxes: [] },
  },
]);
await world.sql(`begin; set local session_replication_role = replica;
  insert into appointments (company_id, id, branch_id, client_id, status, services, starts_at, ends_at, time_zone, local_date, local_start, status_history)
  select r.company_id, r.id, r.branch_id, r.client_id, r.status, '${part}', r.starts_at, r.starts_at + interval '30 minutes', r.time_zone, r.local_date, '00:00', jsonb_build_array(jsonb_build_object('status', r.status, 'at', r.starts_at, 'by', 'SYSTEM', 'reason', null))
  from jsonb_populate_recordset(null::appointments, $rows$${JSON.stringify(rows)}$rows$) r;
  update clients set created_at = now() - interval '40 days' where company_id = '${company}' and id = '${uuid(clients[3] as string)}'; commit`);

const lines = JSON.stringify([
  { description: 'Cut', quantity: 1, unitPrice: 10_000, taxes: [{ name: 'VAT', rateBasisPoints: 2000 }] },
]);
type Bill = { branch: string; issued: string; due: string | null };
const bills: Bill[] = [here, there].flatMap((branch) => {
  const today = dayAt(now, zoneOf(branch));
  return [-70, -31, -1, 0, 0].map((days, n) => ({
    ...{ branch, issued: dayAfter(today, days) },
    due: n === 4 ? null : dayAfter(today, days + 1),
  }));
});
for (const { branch, issued, due } of bills)
  await world.sql(
    `insert into invoices (company_id, id, branch_id, issue_date, due_date, lines, status) values ($1, $2, $3, $4, $5, $6, 'OPEN')`,
    [company, newUuid(), uuid(branch), issued, due, lines],
  );

const money = (amount: number) => ({ amount, currency: 'EUR' });
const revenue = (count: number) => ({
  ...{ net: money(10_000 * count), tax: money(2000 * count), gross: money(12_000 * count) },
});

test.each([null, here, there])('of branch %s it is what the rows say', async (branch) => {
  const reply = await api.get(`/analytics/dashboard${branch === null ? '' : `?branchId=${branch}`}`);
  const today = dayAt(now, zoneOf(branch));
  // Midnight of either zone may pass meanwhile: then what was made is of another day.
  if ([ZONE, FAR].some((zone) => dayAt(Date.now(), zone) !== dayAt(now, zone))) return;
  const own = visits.filter((visit) => branch === null || visit.branch === branch);
  const dayOf = ({ at }: { at: number }): string => dayAt(at, zoneOf(branch));
  const todays = own.filter((visit) => dayOf(visit) === today);
  const byStatus = Object.fromEntries(
    STATUSES.map((each) => [each, todays.filter(({ status }) => status === each).length]),
  );
  const lately = own.filter((visit) => dayOf(visit) < today && dayOf(visit) >= dayAfter(today, -30));
  const [completed = 0, noShows = 0] = ['COMPLETED', 'NO_SHOW'].map(
    (each) => lately.filter(({ status }) => status === each).length,
  );
  const billed = bills.filter((bill) => branch === null || bill.branch === branch);
  const overdue = (await api.get(`/invoices?overdue=true${branch === null ? '' : `&branchId=${branch}`}`)).json
    .data as Json[];
  expect(overdue).toHaveLength(billed.length === bills.length ? 4 : 2);
  const booked = own.some(({ client }) => client === clients[2]);
  expect(reply.json).toEqual({
    ...{ date: today, timeZone: zoneOf(branch), branchId: branch },
    appointments: {
      count: todays.length,
      upcoming: todays.filter(({ at, status }) => at > Date.now() && ['PENDING', 'CONFIRMED'].includes(status)).length,
      byStatus,
    },
    revenue: {
      today: revenue(billed.filter(({ issued }) => issued === today).length),
      month: revenue(billed.filter(({ issued }) => issued.slice(0, 7) === today.slice(0, 7)).length),
    },
    // Of four one was merged and one made long ago; of a branch counts who is booked there.
    newClients: branch === null ? { today: 2, month: 2 } : { today: Number(booked), month: Number(booked) },
    overdue: { count: overdue.length, balance: money(12_000 * overdue.length) },
    noShows: { days: 30, completed, noShows, rate: Number((noShows / (completed + noShows)).toFixed(4)) },
  });
});

test('a branch that is none has nothing, in the zone of the company', async () => {
  for (const id of ['brch_01h455vb4pex5vsknk084sn02q', 'nonsense', here.replace('brch', 'stf')]) {
    const { json } = await api.get(`/analytics/dashboard?branchId=${id}`);
    expect(json).toMatchObject({ timeZone: ZONE, appointments: { count: 0 }, newClients: { month: 0 } });
    const report = await api.get(`/analytics/revenue?from=2020-01-01&to=2020-02-01&groupBy=staff&branchId=${id}`);
    expect(report.json).toEqual({ data: [], total: { net: money(0), tax: money(0), gross: money(0) } });
  }
});

const faultsAt = async (path: string): Promise<unknown[]> => {
  const reply = await api.get(path);
  expect(reply.status, reply.text).toBe(400);
  return [reply.json.code, ...(reply.json.errors as Json[]).map(({ parameter, code }) => `${parameter} ${code}`)];
};

test('a report of which nothing is said is of the days up to now', async () => {
  const list = await api.get('/analytics/appointments');
  const days = (list.json.data as Json[]).map(({ key }) => String(key));
  expect(days).toHaveLength(31);
  expect(days).toContain(dayAt(now, ZONE));
  for (const report of ['revenue', 'clients']) expect((await api.get(`/analytics/${report}`)).status).toBe(200);
});

test('what cannot be asked is named', async () => {
  const [day, by] = ['/analytics/appointments', '/analytics/revenue'];
  expect(await faultsAt(`${day}?from=2026-01-01`)).toEqual(['invalid_parameter', 'to required']);
  expect(await faultsAt(`${day}?from=&to=2026-01-02`)).toEqual(['invalid_parameter', 'from invalid_value']);
  expect(await faultsAt(`${day}?from=2026-01-01&to=2027-01-03`)).toEqual(['invalid_parameter', 'to out_of_range']);
  expect(await faultsAt(`${day}?from=2026-01-01&to=2026-01-01`)).toEqual(['invalid_parameter', 'to out_of_range']);
  expect(await faultsAt(`${day}?from=2026-02-30&to=2026-03-01&groupBy=tax&compare=last`)).toEqual([
    'invalid_parameter',
    'from invalid_value',
    'groupBy unknown_value',
    'compare unknown_value',
  ]);
  expect(await faultsAt(`${day}?from=2026-01-01&to=2026-02-01&page=2`)).toEqual([
    'unknown_parameter',
    'page unknown_parameter',
  ]);
  expect(await faultsAt('/analytics/clients?from=2026-01-01&to=2026-02-01&groupBy=day')).toEqual([
    'unknown_parameter',
    'groupBy unknown_parameter',
  ]);
  expect((await api.get(`${by}?from=2017-01-01&to=2026-12-31&groupBy=month`)).json.data).toHaveLength(120);
  expect(await faultsAt(`${by}?from=2016-01-01&to=2026-12-31&groupBy=month`)).toEqual([
    'invalid_parameter',
    'to out_of_range',
  ]);
});
