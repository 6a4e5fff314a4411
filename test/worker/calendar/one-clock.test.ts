import { expect, test } from 'vitest';
import { RedisClient } from '../../../local/redis-client.ts';
import { parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { imported } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';
import { dayAfter, dayAt } from '../analytics/model.ts';

// What Postgres was told of a zone says what day it is, of invoices, payments, reports and what is overdue; not its own zones.

const world = await sharedWorld();
const ZONE = 'Antarctica/Troll';
const fresh = { headers: { 'Cache-Control': 'no-cache' } };
const euros = (amount: number) => ({ amount, currency: 'EUR' });

/** A clock that no zone has: by which it is yesterday or tomorrow, whatever Troll and UTC say. */
const now = new Date();
const utc = now.toISOString().slice(0, 10);
// Both hold for an hour around eleven, and either through midnight of UTC.
const isAhead = now.getUTCHours() >= 11;
const today = isAhead ? dayAfter(utc) : dayAfter(utc, -1);
const tell = (offset: number) =>
  world.sql(`update app.zones set changes = '{}', offsets = array[$2::int], told_at = '2000-01-01' where name = $1`, [
    ZONE,
    offset,
  ]);
/** What the cron tells, which it does not do while it was told lately. */
async function toldByCron(): Promise<unknown> {
  const redis = new RedisClient(`redis://127.0.0.1:${world.redisPort}`);
  const told = await until('the zone to be told', async () => {
    await redis.send([['DEL', `v1:${world.vars.ENVIRONMENT}:zones`]]);
    await world.worker.sweep();
    const [zone] = await world.sql(
      `select known_from, known_until, changes, offsets from app.zones where name = $1 and told_at > $2`,
      [ZONE, now],
    );
    return zone;
  });
  redis.stop();
  return told;
}

test('a day is that of the clock that was told', async () => {
  const { api, companyId } = await openCompany(world);
  await api.patch('/company', { timeZone: ZONE });
  const branchId = String((await api.post('/branches', { name: 'Troll', timeZone: ZONE })).json.id);
  const truth = await toldByCron();
  await tell(isAhead ? 14 * 60 : -12 * 60);
  const line = { description: 'Ice', quantity: 1, unitPrice: euros(1000) };
  const invoice = async (more: Json): Promise<Json> => {
    const made = await api.post('/invoices', { branchId, lines: [line], ...more });
    const issued = await api.post(`/invoices/${made.json.id}/finalize`);
    expect(issued.status, issued.text).toBe(200);
    return issued.json;
  };
  const paid = await invoice({});
  expect(paid.issueDate).toBe(today);
  const payment = await api.post(
    '/payments',
    { invoiceId: paid.id, amount: euros(1000), method: 'CASH' },
    { headers: { 'Idempotency-Key': 'ice' } },
  );
  expect(payment.json.businessDate).toBe(today);
  const refund = await api.post(
    `/payments/${payment.json.id}/refunds`,
    { amount: euros(100) },
    { headers: { 'Idempotency-Key': 'ice' } },
  );
  expect(refund.json).toMatchObject({ amount: euros(100) });
  expect(
    (
      await world.sql('select business_date::text as day from refunds where payment_id = $1', [
        parseId('pay', String(payment.json.id)),
      ])
    )[0]?.day,
  ).toBe(today);

  // Due on the day between this clock's and UTC's: over by the one that is ahead.
  const due = await invoice({ issueDate: dayAfter(utc, -9), dueDate: isAhead ? utc : today });
  const overdue = async (value: boolean): Promise<unknown[]> =>
    ((await api.get(`/invoices?overdue=${value}&status=OPEN`, fresh)).json.data as Json[]).map(({ id }) => id);
  expect([await overdue(true), await overdue(false)]).toEqual(isAhead ? [[due.id], []] : [[], [due.id]]);
  await api.post('/clients', { firstName: 'Ann' });
  for (const query of ['', `?branchId=${branchId}`]) {
    const { json } = await api.get(`/analytics/dashboard${query}`, fresh);
    expect(json).toMatchObject({ date: today, timeZone: ZONE, overdue: { count: Number(isAhead) } });
    expect((json.revenue as { today: Json }).today.gross).toEqual(euros(1000));
  }
  const { json: dashboard } = await api.get('/analytics/dashboard', fresh);
  // By a clock that is ahead today began 14 hours earlier than by UTC, in which Ann came; by one behind, too.
  expect(dashboard.newClients).toMatchObject({ today: 1 });

  // What was booked by another clock is counted on the day of this one.
  const place = { name: 'Vienna', timeZone: 'Europe/Vienna' };
  const own = { branchIds: [(await api.post('/branches', place)).json.id] };
  const serviceId = (await api.post('/services', { name: 'Cut', durationMinutes: 30 })).json.id;
  const staffId = (await api.post('/staff', { firstName: 'Eve', ...own, serviceIds: [serviceId] })).json.id;
  const startsAt = `${now.toISOString().slice(0, 13)}:00:00.000Z`;
  const visit = { branchId: own.branchIds[0], staffId, services: [{ serviceId }], startsAt };
  expect((await api.post('/appointments', visit)).status).toBe(201);
  const report = await api.get(`/analytics/appointments?from=${dayAfter(utc, -1)}&to=${dayAfter(utc, 2)}`, fresh);
  expect((report.json.data as Json[]).filter(({ count }) => count === 1).map(({ key }) => key)).toEqual([today]);

  // A file whose payment says no time has it at noon of that clock; the same file again is the same payment, whatever the clock.
  const file = JSON.stringify({
    ...{ externalId: 'ice', branchId, number: 'X1', issueDate: utc, status: 'OPEN', lines: [line] },
    payments: [{ amount: euros(400), method: 'CASH' }],
  });
  const take = () => imported(api, file, { resource: 'invoices', type: 'application/x-ndjson' });
  expect(await take()).toMatchObject({ created: 1, failed: 0 });
  const paidAt = async (): Promise<unknown[]> =>
    (
      await world.sql<{ at: Date; day: string }>(
        `select p.paid_at as at, p.business_date::text as day from payments p join invoices i on i.id = p.invoice_id where i.external_id = 'ice' and i.company_id = $1`,
        [parseId('comp', companyId)],
      )
    ).map(({ at, day }) => [at.toISOString(), day]);
  const noon = new Date(Date.parse(`${utc}T12:00:00Z`) - (isAhead ? 14 : -12) * 3_600_000).toISOString();
  expect(await paidAt()).toEqual([[noon, utc]]);
  await api.patch(`/branches/${branchId}`, { timeZone: 'Europe/Vienna' });
  expect(await take()).toMatchObject({ created: 0, unchanged: 1, failed: 0 });
  expect(await paidAt()).toEqual([[noon, utc]]);

  // The cron tells what the runtime knows, and the clock is right again.
  expect(await toldByCron()).toEqual(truth);
  expect((await api.get('/analytics/dashboard', fresh)).json.date).toBe(dayAt(Date.now(), ZONE));
});
