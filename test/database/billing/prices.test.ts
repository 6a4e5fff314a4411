import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InvoiceTerms, priceInvoice } from '../../../src/billing/totals.ts';
import { AppError } from '../../../src/core/errors.ts';
import { anyTerms } from '../../unit/billing/invoice-terms.ts';
import { openStage, type Stage } from '../support.ts';
import { codeOf, invoiceOf, line, makeInvoice, makeShop, type Run, refused, type Shop } from './books.ts';

// What Postgres works out of lines by itself, whoever writes them.

let stage: Stage;
let run: Run;
let shop: Shop;
beforeAll(async () => {
  stage = await openStage();
  run = (text, values) => stage.sql(text, values);
  shop = await makeShop(stage);
});
afterAll(() => stage.close());

const set = (table: string, id: string, what: string): Promise<unknown> =>
  run(`update ${table} set ${what} where id = $1`, [id]);

test('what lines come to is worked out by the database as by the code', async () => {
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

test('what lines come to is worked out without asking what they would be refused with', async () => {
  const client = await stage.console();
  await client.query('reset role');
  await client.query(`set track_functions = 'all'`);
  await client.query('begin');
  await client.query(`select app.price_invoice($1, null, 1, false, 'EUR')`, [
    JSON.stringify(Array(200).fill(line(100))),
  ]);
  const { rows } = await client.query(
    `select calls::int from pg_stat_xact_user_functions where funcname in ('price_invoice', 'refuse', 'spread')`,
  );
  await client.query('rollback');
  // Itself, and what its discount comes to.
  expect(rows).toEqual([{ calls: 1 }, { calls: 1 }]);
});

test('what lines come to is refused where the code refuses it', async () => {
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

test('what lines come to is what is stored, whatever was sent, and follows a draft', async () => {
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

test('what lines come to keeps a line’s id and its row for analytics', async () => {
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

test('what lines come to contains taxes where the company’s prices do, as they did when it was made', async () => {
  const other = await makeShop(stage);
  await stage.sql('update companies set prices_include_tax = true where id = $1', [other.company]);
  const id = await makeInvoice(run, other, [line(4800, { taxes: [{ name: 'VAT', rateBasisPoints: 1900 }] })]);
  await stage.sql('update companies set prices_include_tax = false where id = $1', [other.company]);
  await set('invoices', id, `due_date = '2026-12-24'`);
  expect(await invoiceOf(stage, id)).toMatchObject({ tax_inclusive: true, subtotal: 4800, tax: 766, total: 4800 });
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
