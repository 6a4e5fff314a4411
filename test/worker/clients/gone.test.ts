import { expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { free, openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { faults, headOf, imported } from '../../support/imports.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// An old tab, a partner's stored id: what is written to a client who was merged away or erased.

const world = await sharedWorld();
const tenant = await openCompany(world);
const { api } = tenant;
const made = maker(api);
const salon = await openSalon(api);
const { branchId, staffId, serviceId } = salon;

const slot = (): Json => ({ branchId, staffId, services: [{ serviceId }], startsAt: free() });
const price = { amount: 1000, currency: 'EUR' };
const lines = [{ description: 'Cut', unitPrice: price }];
const series = (): Json => ({ ...slot(), rrule: 'FREQ=YEARLY;COUNT=2' });
const fresh = async (path: string): Promise<Reply> =>
  api.get(path, { headers: { 'Min-Revision': String(await headOf(api)) } });

/** Every way of writing to a client, by the body that names one. */
const ways: Record<string, (clientId: unknown) => Promise<Reply>> = {
  booking: (clientId) => api.post('/appointments', { ...slot(), clientId, notes: 'She came back' }),
  bookings: (clientId) => api.post('/appointments/bulk', { mode: 'atomic', items: [{ ...slot(), clientId }] }),
  hold: (clientId) => api.post('/holds', { ...slot(), clientId }),
  series: (clientId) => api.post('/appointments/series', { ...series(), clientId, notes: 'She came back' }),
  'series tried': (clientId) => api.post('/appointments/series', { ...series(), clientId, dryRun: true }),
  invoice: (clientId) => api.post('/invoices', { branchId, lines, clientId }),
  invoices: (clientId) => api.post('/invoices/bulk', { mode: 'atomic', items: [{ branchId, lines, clientId }] }),
  'a booking onto them': async (clientId) =>
    api.patch(`/appointments/${await made('/appointments', slot())}`, { clientId, notes: 'She came back' }),
  'a series onto them': async (clientId) =>
    api.patch(`/appointments/series/${await made('/appointments/series', series())}`, { scope: 'ALL', clientId }),
  'a draft onto them': async (clientId) =>
    api.patch(`/invoices/${await made('/invoices', { branchId, lines })}`, { clientId }),
};

test('of one that was merged it goes to who they became, through one merge or two', async () => {
  const [first, gone, kept] = [
    await made('/clients', { firstName: 'First', externalId: 'first' }),
    await made('/clients', { firstName: 'Gone', externalId: 'gone' }),
    await made('/clients', { firstName: 'Kept', externalId: 'kept' }),
  ];
  await api.post(`/clients/${gone}/merge`, { sourceId: first });
  await api.post(`/clients/${kept}/merge`, { sourceId: gone });
  for (const [name, write] of Object.entries(ways)) {
    const { status, json, text } = await write(first);
    expect([200, 201], `${name}: ${text}`).toContain(status);
    if ('clientId' in json && name !== 'series tried') expect([name, json.clientId]).toEqual([name, kept]);
  }
  const booked = (await fresh(`/appointments?clientId=${kept}&limit=100`)).json.data as Json[];
  // Two of each series, and of each edit of one.
  expect(booked.length).toBe(1 + 1 + 2 + 1 + 2);
  for (const id of [first, gone]) {
    expect((await fresh(`/appointments?clientId=${id}`)).json.data).toEqual([]);
    expect((await fresh(`/invoices?clientId=${id}`)).json.data).toEqual([]);
    const refused = await api.patch(`/clients/${id}`, { firstName: 'Back' });
    expectProblem(refused, 'conflict', ['mergedInto']);
    expect(refused.json.mergedInto).toBe(kept);
  }
  const invoice = await api.post('/invoices', { branchId, lines, clientId: first });
  await api.post(`/invoices/${invoice.json.id}/finalize`);
  const paid = { invoiceId: invoice.json.id, amount: price, method: 'CASH' };
  await api.post('/payments', paid, { headers: { 'Idempotency-Key': 'gone-1' } });
  expect((await fresh(`/clients/${kept}?include=stats`)).json.stats).toMatchObject({ spent: price });
  // A file changes them as little; one that says what is there changes nothing.
  const file = 'externalId,firstName\ngone,Gone\nkept,Kept too\nfirst,Back\n';
  const job = await imported(api, file);
  expect([faults(job), job.unchanged, job.updated]).toEqual([{ 3: ['/externalId invalid_body'] }, 1, 1]);
});

test('of one that was erased it is refused, and what is said of what they left', async () => {
  const id = await made('/clients', { firstName: 'Zdenka' });
  const booking = await made('/appointments', { ...slot(), clientId: id });
  const own = await made('/appointments/series', { ...series(), clientId: id });
  const draft = await made('/invoices', {
    branchId,
    lines: [{ ...lines[0], description: 'Cut for Zdenka' }],
    clientId: id,
  });
  const issued = await made('/invoices', { branchId, lines, clientId: id });
  await api.post(`/invoices/${issued}/finalize`);
  const paid = await api.post(
    '/payments',
    { invoiceId: issued, amount: price, method: 'CASH' },
    { headers: { 'Idempotency-Key': 'gone-2' } },
  );
  const giveBack = (reason: string | null, key: string): Promise<Reply> =>
    api.post(
      `/payments/${paid.json.id}/refunds`,
      { amount: { ...price, amount: 1 }, reason },
      { headers: { 'Idempotency-Key': key } },
    );
  const rewrite = (description: string): Promise<Reply> =>
    api.patch(`/invoices/${draft}`, { lines: [{ ...lines[0], quantity: 2, description }] });
  await api.post(`/clients/${id}/erase`);
  for (const [name, write] of Object.entries(ways)) {
    const reply = await write(id);
    expect([name, reply.status, reply.json.code]).toEqual([name, 409, 'erased']);
    expect([name, (reply.json.errors as Json[])[0]?.pointer]).toEqual([
      name,
      name === 'bookings' || name === 'invoices' ? '/items/0/clientId' : '/clientId',
    ]);
  }
  const words: [string, Promise<Reply>][] = [
    ['/notes', api.patch(`/appointments/${booking}`, { notes: 'Zdenka' })],
    ['/notes', api.patch(`/appointments/series/${own}`, { scope: 'ALL', notes: 'Zdenka' })],
    ['/reason', api.post(`/appointments/${booking}/status`, { status: 'CANCELLED', reason: 'Zdenka' })],
    ['/lines/0/description', rewrite('Cut for Zdenka')],
    ['/reason', giveBack('Zdenka', 'gone-3')],
  ];
  for (const [pointer, reply] of words) {
    expectProblem(await reply, 'erased');
    expect(((await reply).json.errors as Json[])[0]?.pointer).toBe(pointer);
  }
  // What says nothing of them goes on.
  expect((await rewrite('Cut for Erased')).status).toBe(200);
  expect((await giveBack(null, 'gone-4')).status).toBe(201);
  expect((await api.post(`/appointments/${booking}/status`, { status: 'CANCELLED' })).status).toBe(200);
  expect((await api.post(`/appointments/${booking}/reschedule`, { startsAt: free() })).status).toBe(409);
  for (const path of ['/appointments?limit=100', '/invoices?limit=100', '/events?limit=500']) {
    expect((await fresh(path)).text).not.toContain('Zdenka');
  }
});
