import { afterAll, beforeAll, expect, test } from 'vitest';
import { headOf, logOf, openStage, refusal, type Stage } from '../support.ts';
import { codeOf, invoiceOf, line, makeInvoice, makeShop, pay, type Run, refund, refused, type Shop } from './books.ts';

// What Postgres refuses of payments and refunds, and what it makes of them.

let stage: Stage;
let run: Run;
let shop: Shop;
beforeAll(async () => {
  stage = await openStage();
  run = (text, values) => stage.sql(text, values);
  shop = await makeShop(stage);
});
afterAll(() => stage.close());

const open = (total: number, more: Record<string, unknown> = {}): Promise<string> =>
  makeInvoice(run, shop, [line(total)], { status: 'OPEN', ...more });
const set = (table: string, id: string, what: string): Promise<unknown> =>
  run(`update ${table} set ${what} where id = $1`, [id]);

test('a payment is counted with its refunds, each document a revision', async () => {
  const id = await open(10_000);
  const before = await headOf(stage, shop.company);
  const payment = await pay(run, shop.company, id, 6000);
  expect(await invoiceOf(stage, id)).toMatchObject({
    status: 'OPEN',
    payment_status: 'PARTIALLY_PAID',
    balance: 4000,
  });
  await pay(run, shop.company, id, 4000);
  expect(await invoiceOf(stage, id)).toMatchObject({ status: 'PAID', payment_status: 'PAID', balance: 0 });
  await refund(run, shop.company, payment, 1000);
  expect(await invoiceOf(stage, id)).toMatchObject({
    status: 'PAID',
    payment_status: 'PARTIALLY_REFUNDED',
    paid: 10_000,
    refunded: 1000,
    // Money back: what was paid is not due again.
    balance: 0,
  });
  const log = (await logOf(stage, shop.company)).filter(({ revision }) => (revision ?? 0) > before);
  expect(log.map(({ entity }) => entity)).toEqual([
    'payment',
    'invoice',
    'payment',
    'invoice',
    'refund',
    'payment',
    'invoice',
  ]);
});

test('a payment is refused above the balance, on what is not open, and in another currency', async () => {
  const id = await open(10_000);
  expect(await refused(pay(run, shop.company, id, 10_001))).toMatchObject({
    code: 'exceeds_balance',
    said: { pointer: '/amount' },
  });
  expect(await codeOf(pay(run, shop.company, id, 100, { currency: 'USD' }))).toBe('invalid_body');
  expect(await codeOf(pay(run, shop.company, await makeInvoice(run, shop, [line(1)]), 1))).toBe('invoice_not_open');
  await pay(run, shop.company, id, 10_000);
  expect(await codeOf(pay(run, shop.company, id, 1))).toBe('invoice_not_open');
  const other = await makeShop(stage);
  expect(await codeOf(pay(run, other.company, id, 1))).toBe('unknown_reference');
  const two = await open(100);
  const both = `insert into payments (company_id, id, invoice_id, amount, method) select $1, gen_random_uuid(), $2, 60, 'CASH' from generate_series(1, 2)`;
  expect(await codeOf(run(both, [shop.company, two]))).toBe('exceeds_balance');
});

test('a payment acts on its invoice when it succeeds, not when it comes', async () => {
  const id = await open(100);
  const [pending, late] = [
    await pay(run, shop.company, id, 100, { status: 'PENDING' }),
    await pay(run, shop.company, id, 100, { status: 'PENDING' }),
  ];
  const failed = await pay(run, shop.company, id, 100, { status: 'PENDING' });
  await set('payments', failed, `status = 'FAILED'`);
  expect(await invoiceOf(stage, id)).toMatchObject({ status: 'OPEN', paid: 0, version: 1 });
  await set('payments', pending, `status = 'SUCCEEDED'`);
  expect(await invoiceOf(stage, id)).toMatchObject({ status: 'PAID', paid: 100 });
  expect(await codeOf(set('payments', late, `status = 'SUCCEEDED'`))).toBe('invoice_not_open');
  expect(await codeOf(set('payments', failed, `status = 'SUCCEEDED'`))).toBe('illegal_transition');
  expect(await codeOf(set('payments', pending, `status = 'CANCELLED'`))).toBe('illegal_transition');
});

test('a payment without an invoice waits for one: a deposit', async () => {
  const deposit = await pay(run, shop.company, null, 60, { branch_id: shop.branch, paid_at: '2026-11-25T23:30:00Z' });
  const id = await open(100);
  await run('update payments set invoice_id = $2 where id = $1', [deposit, id]);
  expect(await invoiceOf(stage, id)).toMatchObject({ paid: 60, balance: 40 });
  expect(await codeOf(set('payments', deposit, 'invoice_id = null'))).toBe('conflict');
  const [row] = await stage.sql('select business_date::text, currency from payments where id = $1', [deposit]);
  expect(row).toEqual({ business_date: '2026-11-26', currency: 'EUR' });
});

test('a payment says what it said, and stays', async () => {
  const payment = await pay(run, shop.company, await open(100), 60);
  for (const change of ['amount = 50', `currency = 'USD'`, `paid_at = now()`, `business_date = '2020-01-01'`]) {
    expect(await codeOf(set('payments', payment, change)), change).toBe('conflict');
  }
  expect(await refusal(run('delete from payments where id = $1', [payment]))).toBe('CP003');
});

test('a payment gives back no more than it is', async () => {
  const payment = await pay(run, shop.company, await open(100), 60);
  await refund(run, shop.company, payment, 40);
  expect(await refused(refund(run, shop.company, payment, 21))).toMatchObject({
    code: 'exceeds_paid',
    said: { detail: '20 minor units are left to refund.' },
  });
  const pending = await refund(run, shop.company, payment, 20, { status: 'PENDING' });
  await refund(run, shop.company, payment, 20);
  expect(await codeOf(set('refunds', pending, `status = 'SUCCEEDED'`))).toBe('exceeds_paid');
  const waiting = await pay(run, shop.company, await open(100), 60, { status: 'PENDING' });
  expect(await codeOf(refund(run, shop.company, waiting, 1))).toBe('exceeds_paid');
  expect(await codeOf(refund(run, shop.company, payment, 1, { currency: 'USD' }))).toBe('invalid_body');
});
