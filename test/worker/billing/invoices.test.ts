import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// A sale as the till makes it. The rules of money have their suites beside the database (test/database/billing).

const world = await sharedWorld();
const salon = await openCompany(world);
const branchId = String((await salon.api.post('/branches', { name: 'Centre', timeZone: 'Europe/Vienna' })).json.id);

const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const line = (amount: number, more: Json = {}): Json => ({ description: 'Cut', unitPrice: euros(amount), ...more });
const VAT = [{ name: 'VAT', rateBasisPoints: 2000 }];

async function draft(lines: Json[], more: Json = {}): Promise<string> {
  const reply = await salon.api.post('/invoices', { branchId, lines, ...more });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
}
async function issued(amount: number, more: Json = {}): Promise<string> {
  const id = await draft([line(amount)], more);
  await salon.api.post(`/invoices/${id}/finalize`);
  return id;
}
const invoice = async (id: string): Promise<Json> => (await salon.api.get(`/invoices/${id}`, FRESH)).json;
const FRESH = { headers: { 'Cache-Control': 'no-cache' } };
const pay = (invoiceId: string, amount: number, key: string) =>
  salon.api.post(
    '/payments',
    { invoiceId, amount: euros(amount), method: 'CARD' },
    { headers: { 'Idempotency-Key': key } },
  );

test('a sale: draft, finalize, pay in part and in full, refund; each document a revision', async () => {
  const id = await draft([line(9000, { taxes: VAT }), line(1000, { quantity: 2, discount: euros(500) })], {
    discount: euros(1000),
  });
  expect(await invoice(id)).toMatchObject({
    status: 'DRAFT',
    number: null,
    subtotal: euros(11_000),
    discountTotal: euros(1500),
    tax: euros(1629),
    total: euros(11_129),
    lines: [{ taxes: [{ ...VAT[0], amount: euros(1629) }] }, { taxes: [] }],
  });
  const final = await salon.api.post(`/invoices/${id}/finalize`);
  expect(final.json).toMatchObject({ status: 'OPEN', number: '1', balance: euros(11_129), paymentStatus: 'UNPAID' });
  expect((await salon.api.post(`/invoices/${id}/finalize`)).revision).toBe(final.revision);
  const part = await pay(id, 5000, 'part');
  expect(part.json).toMatchObject({ invoiceId: id, branchId, amount: euros(5000), status: 'SUCCEEDED' });
  expect(part.revision - final.revision).toBe(2);
  await pay(id, 6129, 'rest');
  expect(await invoice(id)).toMatchObject({ status: 'PAID', paymentStatus: 'PAID', balance: euros(0) });
  const back = await salon.api.post(
    `/payments/${part.json.id}/refunds`,
    { amount: euros(500) },
    { headers: { 'Idempotency-Key': 'back' } },
  );
  expect(back.status, back.text).toBe(201);
  expect((await salon.api.get(String(back.headers.get('location')).replace('/api/v1', ''))).json).toEqual(back.json);
  expect(await invoice(id)).toMatchObject({
    status: 'PAID',
    paymentStatus: 'PARTIALLY_REFUNDED',
    refunded: euros(500),
    balance: euros(0),
  });
  const events = (await salon.api.get(`/events?after=${part.revision}&limit=100`)).json.data as Json[];
  expect(events.map(({ type }) => type)).toEqual([
    'payment.created',
    'invoice.updated',
    'refund.created',
    'payment.updated',
    'invoice.updated',
  ]);
});

test('a draft is not voided or written off but deleted; what was issued is voided, and again', async () => {
  const id = await draft([line(100)]);
  for (const verb of ['void', 'uncollectible']) {
    const early = await salon.api.post(`/invoices/${id}/${verb}`);
    expectProblem(early, 'illegal_transition', ['allowed']);
    expect(early.json.allowed).toEqual(['OPEN']);
  }
  const stale = await salon.api.post(`/invoices/${id}/void`, undefined, { headers: { 'If-Match': '"7"' } });
  expectProblem(stale, 'version_mismatch');
  expect(await invoice(id)).toMatchObject({ status: 'DRAFT', version: 1 });
  const gone = await salon.api.delete(`/invoices/${id}`);
  expect([gone.status, gone.json.status, gone.json.number]).toEqual([200, 'VOID', null]);
  for (const [of, number] of [
    [id, null],
    [await issued(100), expect.any(String)],
  ]) {
    const first = await salon.api.post(`/invoices/${of}/void`);
    const again = await salon.api.post(`/invoices/${of}/void`);
    expect([first, again].map(({ status, json }) => [status, json.status, json.number])).toEqual(
      Array(2).fill([200, 'VOID', number]),
    );
    expect(again.revision).toBe(first.revision);
  }
});

test('twenty requests with one key at once are one payment and twenty equal answers', async () => {
  const id = await issued(10_000);
  const replies = await Promise.all(Array.from({ length: 20 }, () => pay(id, 6000, 'at-once')));
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(201));
  expect((await invoice(id)).paid).toEqual(euros(6000));
});

test('what is wrong is said in the words of the contract', async () => {
  const id = await issued(10_000);
  const above = await pay(id, 10_001, 'above');
  expectProblem(above, 'exceeds_balance');
  expect(above.json.errors).toMatchObject([{ pointer: '/amount' }]);
  const dollars = await salon.api.post('/invoices', {
    branchId,
    lines: [{ description: 'Cut', unitPrice: { amount: 1, currency: 'USD' } }],
  });
  expectProblem(dollars, 'invalid_body');
  expect(dollars.json.errors).toMatchObject([{ pointer: '/lines/0/unitPrice/currency' }]);
  const patched = await salon.api.patch(`/invoices/${await draft([line(100)])}`, {
    discount: { amount: 1, currency: 'USD' },
  });
  expect(patched.json.errors).toMatchObject([{ pointer: '/discount/currency' }]);
  await salon.api.post(`/invoices/${id}/uncollectible`);
  const illegal = await salon.api.post(`/invoices/${id}/void`);
  expectProblem(illegal, 'illegal_transition', ['allowed']);
  expect(illegal.json.allowed).toEqual([]);
  const stranger = await salon.api.post('/invoices', {
    branchId,
    lines: [line(1, { staffId: 'stf_01h455vb4pex5vsknk084sn02q' })],
  });
  expectProblem(stranger, 'unknown_reference');
});

test('days and amounts beyond every book are told by name', async () => {
  const far = '9999-12-31';
  const told = async (reply: Promise<Reply>, code: ErrorCode): Promise<unknown> =>
    expectProblem(await reply, code).map(({ pointer, parameter, code: own }) => [pointer ?? parameter, own]);
  const id = await issued(100);
  const paid = { invoiceId: id, amount: euros(1), method: 'CASH', paidAt: `${far}T23:59:59Z` };
  expect(
    await told(salon.api.post('/payments', paid, { headers: { 'Idempotency-Key': 'far' } }), 'invalid_body'),
  ).toEqual([['/paidAt', 'out_of_range']]);
  const dated = { branchId, lines: [line(1)], issueDate: far, dueDate: '1899-12-31' };
  expect(await told(salon.api.post('/invoices', dated), 'invalid_body')).toEqual([
    ['/issueDate', 'out_of_range'],
    ['/dueDate', 'out_of_range'],
  ]);
  const holidays = [{ date: far, name: 'The last' }];
  expect(await told(salon.api.patch(`/branches/${branchId}`, { holidays }), 'invalid_body')).toEqual([
    ['/holidays/0/date', 'out_of_range'],
  ]);
  for (const [path, parameter] of [
    [`/appointments?date=${far}`, 'date'],
    [`/appointments?branchId=${branchId}&to=${far}`, 'to'],
    ['/invoices?from=0001-01-01', 'from'],
    ['/clients?createdAfter=0001-01-01T00:00:00Z', 'createdAfter'],
    [`/availability?serviceId=x&branchId=${branchId}&from=2026-12-31&to=${far}`, 'to'],
  ] as const)
    expect(await told(salon.api.get(path), 'invalid_parameter')).toContainEqual([parameter, 'out_of_range']);
  const dear = { name: 'Cut', durationMinutes: 30, price: euros(1_000_000_000_001) };
  expect(await told(salon.api.post('/services', dear), 'invalid_body')).toEqual([['/price/amount', 'too_big']]);
});

test('a bulk reports what a rule refuses beside what it stores', async () => {
  const items = [
    { branchId, lines: [line(100)] },
    { branchId, lines: [line(100), line(-101)] },
    { branchId, lines: [line(200)] },
  ];
  const reply = await salon.api.post('/invoices/bulk', { mode: 'partial', items });
  const verdicts = reply.json.data as { status: number; problem?: Json }[];
  expect(verdicts.map(({ status, problem }) => problem?.code ?? status)).toEqual([201, 'negative_total', 201]);
});

test('overdue is asked by the branch’s day, and only what is open and unpaid is', async () => {
  const late = await issued(100, { dueDate: '2020-01-31' });
  const [paid, dueToday] = [await issued(100, { dueDate: '2020-01-31' }), await issued(100)];
  await pay(paid, 100, 'paid');
  const [day] = await world.sql<{ day: string }>(`select (now() at time zone 'Europe/Vienna')::date::text as day`);
  const today = await draft([line(100)], { dueDate: day?.day ?? '' });
  await salon.api.post(`/invoices/${today}/finalize`);
  const listed = async (query: string): Promise<unknown[]> =>
    ((await salon.api.get(`/invoices?${query}&limit=100`, FRESH)).json.data as Json[]).map(({ id }) => id);
  const overdue = await listed('overdue=true');
  expect(overdue).toContain(late);
  for (const other of [paid, dueToday, today]) expect(overdue).not.toContain(other);
  expect(await listed(`overdue=false&paymentStatus=PAID`)).toContain(paid);
});

test('prices contain their taxes once the company says so', async () => {
  await salon.api.patch('/company', { pricesIncludeTax: true });
  const id = await draft([line(4800, { taxes: [{ name: 'VAT', rateBasisPoints: 1900 }] })]);
  await salon.api.patch('/company', { pricesIncludeTax: false });
  expect(await invoice(id)).toMatchObject({ taxInclusive: true, tax: euros(766), total: euros(4800) });
});
