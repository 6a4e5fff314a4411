import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openSalon, slot } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { counts, faults, headOf, imported } from '../../support/imports.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// Slips of the hand in the books, and what a file or a key says twice or of others.

const world = await sharedWorld();
const { api } = await openCompany(world);
const made = maker(api);
const { branchId } = await openSalon(api);
await api.patch(`/branches/${branchId}`, { externalId: 'b1' });

const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const lines = [{ description: 'Cut', unitPrice: euros(1000) }];
const keyed = (path: string, body: Json): Promise<Reply> =>
  api.post(path, body, { headers: { 'Idempotency-Key': randomUUID() } });
const places = (reply: Reply): unknown[] => (reply.json.errors as Json[]).map(({ pointer }) => pointer);

/** An open invoice of 10.00, of which so much was paid by card. */
async function paid(externalId: string, ...amounts: number[]): Promise<string> {
  const id = await made('/invoices', { branchId, externalId, issueDate: '2026-11-20', lines });
  await api.post(`/invoices/${id}/finalize`);
  for (const amount of amounts) {
    const payment = { invoiceId: id, amount: euros(amount), method: 'CASH', reference: 'till 1' };
    const { json, status } = await keyed('/payments', payment);
    expect(status).toBe(201);
    await keyed(`/payments/${json.id}/refunds`, { amount: euros(amount / 4), reason: 'Not so good' });
  }
  return id;
}

test('a file that says what was paid, however briefly, means what is there', async () => {
  const id = await paid('twice', 400, 400);
  const row = (payments: Json[]): string =>
    JSON.stringify({
      ...{ externalId: 'twice', branchExternalId: 'b1', status: 'OPEN', issueDate: '2026-11-20', lines },
      payments: payments.map((payment) => ({ amount: euros(400), method: 'CASH', ...payment })),
    });
  const take = (...payments: Json[]) =>
    imported(api, row(payments), { resource: 'invoices', type: 'application/x-ndjson' });
  const amounts = async (): Promise<unknown[]> => {
    const { json } = await api.get(`/invoices/${id}`, { headers: { 'Min-Revision': String(await headOf(api)) } });
    return [json.paid, json.refunded].map((money) => (money as { amount: number }).amount);
  };
  const back = { refunds: [{ amount: euros(100) }] };
  for (const payments of [[{}], [{}, {}], [{ externalId: 'p1' }], [back, back], [{ reference: 'till 1' }, {}]]) {
    const job = await take(...payments);
    expect([faults(job), counts(job).unchanged]).toEqual([{}, 1]);
    expect(await amounts()).toEqual([800, 200]);
  }
  // Another reference, another time, a third one: those are others.
  const more = await take({ amount: euros(100), reference: 'till 2' }, {}, {});
  expect([faults(more), more.updated, await amounts()]).toEqual([{}, 1, [900, 200]]);
  const named = await take({ amount: euros(50), externalId: 'p2' });
  expect([faults(named), named.updated, await amounts()]).toEqual([{}, 1, [950, 200]]);
  expect((await take({ amount: euros(50), externalId: 'p2' })).unchanged).toBe(1);
  // It holds nothing up.
  const other = await take({ amount: euros(51), externalId: 'p2' });
  expect([other.status, faults(other)]).toEqual(['COMPLETED', { 1: ['/payments/0/amount invalid_body'] }]);
});

test('nothing is paid in days to come, and nothing is due before it is issued', async () => {
  const invoiceId = await paid('slips');
  const pay = (paidAt: string): Promise<Reply> =>
    keyed('/payments', { invoiceId, amount: euros(1), method: 'CASH', paidAt });
  const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  for (const late of ['2150-01-01T00:00:00Z', inHours(25)]) expect(places(await pay(late))).toEqual(['/paidAt']);
  for (const fine of [inHours(20), '2009-05-01T10:00:00Z']) expect((await pay(fine)).status).toBe(201);
  const file = { externalId: 'f', branchExternalId: 'b1', issueDate: '2026-11-20', lines };
  const payment = { amount: euros(1000), method: 'CASH', paidAt: '2150-01-01T00:00:00Z' };
  const [later, early] = [
    { ...file, status: 'PAID', payments: [payment] },
    { ...file, externalId: 'g', dueDate: '2026-11-01', status: 'OPEN' },
  ].map((row) => JSON.stringify(row));
  const job = await imported(api, `${later}\n${early}`, { resource: 'invoices', type: 'application/x-ndjson' });
  expect([faults(job), job.created]).toEqual([{ 1: ['/payments/0/paidAt out_of_range'] }, 1]);

  const days = { issueDate: '2026-11-20', dueDate: '2026-11-19' };
  expect(places(await api.post('/invoices', { branchId, lines, ...days }))).toEqual(['/dueDate']);
  const id = await made('/invoices', { branchId, lines, ...days, dueDate: '2026-11-20' });
  expect(places(await api.patch(`/invoices/${id}`, { dueDate: '2026-11-19' }))).toEqual(['/dueDate']);
  expect((await api.patch(`/invoices/${id}`, { issueDate: '2026-11-01', dueDate: '2026-11-19' })).status).toBe(200);
});

test('what an appointment was of is told to those who may read it, by an invoice as well', async () => {
  const appointmentId = await made('/appointments', await slot(api));
  const key = await addKey(api, ['invoices:write']);
  const billed = {
    branchId: (await api.get(`/appointments/${appointmentId}`)).json.branchId,
    lines: [{ appointmentId }],
  };
  expectProblem(await key.api.post('/invoices', billed), 'forbidden');
  const { json } = await key.api.post('/invoices/bulk', { mode: 'partial', items: [billed, { branchId, lines }] });
  expect((json.data as Json[]).map((each) => (each.problem as Json | undefined)?.code)).toEqual([
    'forbidden',
    undefined,
  ]);
  const draft = await made('/invoices', { branchId, lines });
  expectProblem(await key.api.patch(`/invoices/${draft}`, { lines: [{ appointmentId }] }), 'forbidden');
  const both = await addKey(api, ['invoices:write', 'appointments:read']);
  expect((await both.api.post('/invoices', billed)).status).toBe(201);
});

test('more lines than can be written while others wait are refused before any is tried', async () => {
  const line = { description: 'Cut', unitPrice: euros(1) };
  const items = Array.from({ length: 21 }, (_, n) => ({ branchId, lines: Array(n === 0 ? 1 : 150).fill(line) }));
  const before = await headOf(api);
  for (const mode of ['atomic', 'partial'])
    expect(places(await api.post('/invoices/bulk', { mode, items }))).toEqual(['/items']);
  expect(await headOf(api)).toBe(before);
});
