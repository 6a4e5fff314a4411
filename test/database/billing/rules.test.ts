import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InvoiceTerms, priceInvoice } from '../../../src/billing/totals.ts';
import { AppError } from '../../../src/core/errors.ts';
import { anyTerms } from '../../unit/billing/invoice-terms.ts';
import { headOf, logOf, openStage, refusal, type Stage } from '../support.ts';
import {
  codeOf,
  invoiceOf,
  line,
  makeBranch,
  makeInvoice,
  makeShop,
  pay,
  type Run,
  refund,
  refused,
  type Shop,
} from './books.ts';

// What Postgres refuses and works out by itself, whoever writes.

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

describe('what lines come to', () => {
  test('is worked out by the database as by the code', async () => {
    const terms = fc.sample(anyTerms, 200);
    const cases = terms.map((each) => ({ ...each, price: priced(each) }));
    const rows = await stage.sql<{ n: number; priced: unknown }>(
      `select n::int, to_jsonb(p) as priced from jsonb_array_elements($1) with ordinality x (t, n),
         app.price_invoice(t -> 'lines', null, (t ->> 'discount')::bigint, (t ->> 'taxInclusive')::boolean, 'EUR') p order by n`,
      [JSON.stringify(cases.filter(({ price }) => price !== null).map(described))],
    );
    const expected = cases.filter(({ price }) => price !== null).map(({ price }) => price);
    expect(rows.length).toBeGreaterThan(150);
    expect(rows.map(({ priced: found }) => simple(found))).toEqual(expected);
  });

  test('is refused where the code refuses it', async () => {
    const draft = (lines: ReturnType<typeof line>[], discount = 0) =>
      refused(makeInvoice(run, shop, lines, { discount }));
    const pointers: Record<string, unknown>[] = [];
    for (const attempt of [
      draft([]),
      draft([line(100, { discount: 101 })]),
      draft([line(-100, { discount: 1 })]),
      draft([line(100)], 101),
      draft([line(1_000_000_000_000, { quantity: 2 })]),
      draft([line(100, { quantity: 0 })]),
      draft([line(100, { currency: 'USD' })]),
      draft([line(100, { description: '' })]),
      draft([line(100, { taxes: [{ name: 'T', rateBasisPoints: 10_001 }] })]),
    ]) {
      const answer = await attempt;
      pointers.push({ [answer?.code ?? '']: answer?.said.pointer });
    }
    expect(pointers).toEqual(
      [
        '',
        '/0/discount',
        '/0/discount',
        'discount',
        '/0/unitPrice',
        '/0/quantity',
        '/0/unitPrice/currency',
        '/0/description',
        '/0/taxes',
      ].map((rest) => ({
        invalid_body: rest === 'discount' ? '/discount' : `/lines${rest}`,
      })),
    );
    expect(await codeOf(makeInvoice(run, shop, [line(100), line(-101)]))).toBe('negative_total');
  });

  test('is what is stored, whatever was sent, and follows a draft', async () => {
    const id = await makeInvoice(
      run,
      shop,
      [line(1000, { taxes: [{ name: 'VAT', rateBasisPoints: 2000, amount: 1 }] })],
      { subtotal: 1, total: 5, tax: 7 },
    );
    expect(await invoiceOf(stage, id)).toMatchObject({
      subtotal: 1000,
      tax: 200,
      total: 1200,
      balance: 1200,
      currency: 'EUR',
      tax_inclusive: false,
    });
    await set('invoices', id, 'discount = 100');
    expect(await invoiceOf(stage, id)).toMatchObject({ discount_total: 100, tax: 180, total: 1080, version: 2 });
    await set('invoices', id, 'total = 1');
    expect(await invoiceOf(stage, id)).toMatchObject({ total: 1080, version: 2 });
  });

  test('keeps a line’s id and its row for analytics', async () => {
    const id = await makeInvoice(run, shop, [line(1000), line(500)]);
    const [first, second] = (await invoiceOf(stage, id)).lines.map((each) => each.id);
    await run('update invoices set lines = $2 where id = $1', [id, JSON.stringify([line(900)])]);
    expect((await invoiceOf(stage, id)).lines.map((each) => each.id)).toEqual([first]);
    expect(second).not.toBe(first);
    const rows = await stage.sql(
      'select id, position, kind, net::int, total::int from invoice_lines where invoice_id = $1',
      [id],
    );
    expect(rows).toEqual([{ id: first, position: 1, kind: 'OTHER', net: 900, total: 900 }]);
  });

  test('contains taxes where the company’s prices do, as they did when it was made', async () => {
    const other = await makeShop(stage);
    await stage.sql('update companies set prices_include_tax = true where id = $1', [other.company]);
    const id = await makeInvoice(run, other, [line(4800, { taxes: [{ name: 'VAT', rateBasisPoints: 1900 }] })]);
    await stage.sql('update companies set prices_include_tax = false where id = $1', [other.company]);
    await set('invoices', id, `due_date = '2026-12-24'`);
    expect(await invoiceOf(stage, id)).toMatchObject({ tax_inclusive: true, subtotal: 4800, tax: 766, total: 4800 });
  });
});

describe('a status', () => {
  test('goes the ways there are, and says them', async () => {
    const id = await makeInvoice(run, shop, [line(100)]);
    expect(await refused(set('invoices', id, `status = 'UNCOLLECTIBLE'`))).toMatchObject({
      code: 'illegal_transition',
      said: { allowed: ['OPEN', 'VOID'] },
    });
    expect(await codeOf(set('invoices', id, `status = 'PAID'`))).toBe('illegal_transition');
    await set('invoices', id, `status = 'OPEN'`);
    expect(await codeOf(set('invoices', id, `status = 'PAID'`))).toBe('illegal_transition');
    expect(await codeOf(set('invoices', id, `status = 'DRAFT'`))).toBe('illegal_transition');
    await set('invoices', id, `status = 'UNCOLLECTIBLE'`);
    expect(await refused(set('invoices', id, `status = 'OPEN'`))).toMatchObject({ said: { allowed: [] } });
    expect(await codeOf(makeInvoice(run, shop, [line(1)], { status: 'PAID' }))).toBe('illegal_transition');
  });

  test('freezes what was issued', async () => {
    const id = await open(100);
    for (const change of [
      `lines = '[]'`,
      `lines = jsonb_set(lines, '{0,description}', '"Colour"')`,
      `lines = jsonb_set(lines, '{0,staffId}', '"0196b4c4-0000-7000-8000-000000000000"')`,
      'discount = 1',
      'total = 99',
      `number = '7'`,
      `due_date = '2030-01-01'`,
      `branch_id = gen_random_uuid()`,
      'client_id = gen_random_uuid()',
    ]) {
      expect(await codeOf(set('invoices', id, change)), change).toBe('invoice_not_draft');
    }
    expect(await codeOf(set('invoices', id, 'paid = 100'))).toBe('conflict');
    expect(await refusal(run('delete from invoices where id = $1', [id]))).toBe('CP003');
    const draft = await makeInvoice(run, shop, [line(1)]);
    expect(await refusal(run('delete from invoices where id = $1', [draft]))).toBeNull();
  });

  test('of a total of nothing is PAID as soon as it is issued', async () => {
    const id = await makeInvoice(run, shop, [line(100), line(-100)]);
    await set('invoices', id, `status = 'OPEN'`);
    expect(await invoiceOf(stage, id)).toMatchObject({ status: 'PAID', payment_status: 'PAID', balance: 0 });
  });

  test('is not VOID with money in, and is after the money went back', async () => {
    const id = await open(100);
    const payment = await pay(run, shop.company, id, 60);
    expect(await refused(set('invoices', id, `status = 'VOID'`))).toMatchObject({
      code: 'illegal_transition',
      said: { allowed: ['UNCOLLECTIBLE'] },
    });
    await refund(run, shop.company, payment, 60);
    await set('invoices', id, `status = 'VOID'`);
    expect(await invoiceOf(stage, id)).toMatchObject({ status: 'VOID', payment_status: 'REFUNDED' });
  });
});

describe('numbers', () => {
  test('run per branch, are given when an invoice is issued, and by nobody else', async () => {
    const own = await makeShop(stage);
    const second = { company: own.company, branch: await makeBranch(stage, own.company) };
    const issue = async (at: Shop, more = {}) =>
      (await invoiceOf(stage, await makeInvoice(run, at, [line(1)], { status: 'OPEN', ...more }))).number;
    const draft = await makeInvoice(run, own, [line(1)]);
    expect([await issue(own), await issue(second), await issue(own)]).toEqual(['1', '1', '2']);
    expect(await issue(own, { series: 'IMPORTED', number: 'R-77' })).toBe('R-77');
    await set('invoices', draft, `status = 'OPEN'`);
    expect((await invoiceOf(stage, draft)).number).toBe('3');
    expect(await codeOf(makeInvoice(run, own, [line(1)], { number: '9' }))).toBe('invalid_body');
    const app = await stage.login();
    expect(await refusal(app.query('update invoice_counters set last = 0'))).toBe('42501');
  });

  test('of what failed are taken by the next', async () => {
    const own = await makeShop(stage);
    const console = await stage.console();
    await console.query('begin');
    await makeInvoice((text, values) => console.query(text, values), own, [line(1)], { status: 'OPEN' });
    await console.query('rollback');
    expect((await invoiceOf(stage, await makeInvoice(run, own, [line(1)], { status: 'OPEN' }))).number).toBe('1');
  });

  test('come with the branch’s day', async () => {
    const far = { company: shop.company, branch: await makeBranch(stage, shop.company, 'Pacific/Kiritimati') };
    const id = await makeInvoice(run, far, [line(1)], { status: 'OPEN' });
    const [day] = await stage.sql<{ day: string }>(
      `select (now() at time zone 'Pacific/Kiritimati')::date::text as day`,
    );
    expect((await invoiceOf(stage, id)).issue_date).toBe(day?.day);
  });
});

describe('a payment', () => {
  test('is counted with its refunds, each document a revision', async () => {
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
      balance: 1000,
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

  test('is refused above the balance, on what is not open, and in another currency', async () => {
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

  test('acts on its invoice when it succeeds, not when it comes', async () => {
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

  test('without an invoice waits for one: a deposit', async () => {
    const deposit = await pay(run, shop.company, null, 60, { branch_id: shop.branch, paid_at: '2026-11-25T23:30:00Z' });
    const id = await open(100);
    await run('update payments set invoice_id = $2 where id = $1', [deposit, id]);
    expect(await invoiceOf(stage, id)).toMatchObject({ paid: 60, balance: 40 });
    expect(await codeOf(set('payments', deposit, 'invoice_id = null'))).toBe('conflict');
    const [row] = await stage.sql('select business_date::text, currency from payments where id = $1', [deposit]);
    expect(row).toEqual({ business_date: '2026-11-26', currency: 'EUR' });
  });

  test('says what it said, and stays', async () => {
    const payment = await pay(run, shop.company, await open(100), 60);
    for (const change of ['amount = 50', `currency = 'USD'`, `paid_at = now()`, `business_date = '2020-01-01'`]) {
      expect(await codeOf(set('payments', payment, change)), change).toBe('conflict');
    }
    expect(await refusal(run('delete from payments where id = $1', [payment]))).toBe('CP003');
  });

  test('gives back no more than it is', async () => {
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
});

test('beneath the triggers stand constraints', async () => {
  const id = await open(100);
  const wall = async (what: string): Promise<string | null> => {
    const client = await stage.console();
    await client.query('begin');
    await client.query('alter table invoices disable trigger derive');
    const code = await codeOf(client.query(`update invoices set ${what} where id = $1`, [id]));
    await client.query('rollback');
    return code;
  };
  expect({
    total: await wall('total = 99'),
    paid: await wall('paid = 101'),
    refunded: await wall('refunded = 1'),
    settled: await wall('paid = 100'),
    status: await wall(`status = 'SENT'`),
    number: await wall(`number = '9'`),
    currency: await wall(`currency = 'USD'`),
  }).toEqual({
    total: 'invoices_total',
    paid: 'invoices_paid',
    refunded: 'invoices_paid',
    settled: 'invoices_settled',
    status: 'invoices_status',
    number: 'invoices_numbered',
    currency: 'invoices_company',
  });
});

/** What the code says of an invoice; null where it is refused. */
function priced(terms: InvoiceTerms): unknown {
  try {
    return priceInvoice(terms);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

const described = ({ lines, discount, taxInclusive }: InvoiceTerms): unknown => ({
  lines: lines.map((each) => ({ description: 'Cut', ...each })),
  discount,
  taxInclusive,
});

/** What the database says, in the words of the code. */
function simple(found: unknown): unknown {
  const { lines, subtotal, discount_total, tax, total } = found as Record<string, unknown> & {
    lines: Record<string, unknown>[];
  };
  const own = lines.map(({ discountShare, net, total: sum, taxes }) => ({ discountShare, net, total: sum, taxes }));
  return { lines: own, subtotal, discountTotal: discount_total, tax, total };
}
