import { describe, expect, test } from 'vitest';
import { scaled, spread } from '../../../src/billing/money.ts';
import { type InvoiceTerms, priceInvoice, taxUpon, taxWithin } from '../../../src/billing/totals.ts';
import { exponentOf, MAX_AMOUNT } from '../../../src/core/currency.ts';
import { AppError } from '../../../src/core/errors.ts';

const GST = { name: 'GST', rateBasisPoints: 500 };
const PST = { name: 'PST', rateBasisPoints: 800 };
const VAT = { name: 'VAT', rateBasisPoints: 1900 };

const invoice = (terms: Partial<InvoiceTerms>): InvoiceTerms => ({
  lines: [],
  discount: 0,
  taxInclusive: false,
  ...terms,
});

test('currencies have the exponents of ISO 4217', () => {
  const exponents = ['EUR', 'JPY', 'KWD', 'CLP', 'ISK', 'TND', 'MGA'].map(exponentOf);
  expect(exponents).toEqual([2, 0, 3, 0, 0, 3, 2]);
});

test.each([
  [5, 1, 2, 3],
  [-5, 1, 2, -3],
  [4, 1, 3, 1],
  [5, 1, 3, 2],
  [0, 7, 9, 0],
  [MAX_AMOUNT, 10_000, 10_001, 999_900_009_999],
])('%i × %i ÷ %i is rounded half away from zero to %i', (amount, numerator, denominator, rounded) => {
  expect(scaled(amount, numerator, denominator)).toBe(rounded);
});

test.each([
  [100, [1, 1, 1], [34, 33, 33]],
  [-100, [1, 1, 1], [-34, -33, -33]],
  [10, [2, 1, 3], [3, 2, 5]],
  [5, [0, 1, 0], [0, 5, 0]],
  [0, [0, 0], [0, 0]],
  [0, [], []],
])('%i spread by %j is %j: the largest remainders first, then the first ones', (amount, weights, shares) => {
  expect(spread(amount, weights)).toEqual(shares);
});

test('taxes on top are rounded each by itself', () => {
  expect(taxUpon(3073, [GST, PST])).toEqual({
    net: 3073,
    total: 3473,
    taxes: [
      { ...GST, amount: 154 },
      { ...PST, amount: 246 },
    ],
  });
});

test('taxes within a price leave it as it is', () => {
  expect(taxWithin(4800, [VAT])).toEqual({ net: 4034, total: 4800, taxes: [{ ...VAT, amount: 766 }] });
  const both = taxWithin(101, [GST, PST]);
  expect(both).toEqual({
    net: 89,
    total: 101,
    taxes: [
      { ...GST, amount: 5 },
      { ...PST, amount: 7 },
    ],
  });
});

test('a net in cents cannot have every whole price, which is why prices may contain their taxes', () => {
  const reached = new Set(Array.from({ length: 30_000 }, (_, net) => taxUpon(net, [VAT]).total));
  const missing = Array.from({ length: 300 }, (_, euros) => (euros + 1) * 100).filter((price) => !reached.has(price));
  expect(missing).toHaveLength(48);
});

test('lines, discounts and a return come to one total', () => {
  const totals = priceInvoice(
    invoice({
      lines: [
        { quantity: 2, unitPrice: 5000, discount: 1000, taxes: [GST, PST] },
        { quantity: 1, unitPrice: 3000, taxes: [GST] },
        { quantity: 1, unitPrice: -2000, taxes: [] },
      ],
      discount: 1000,
    }),
  );
  expect(totals).toEqual({
    lines: [
      {
        discountShare: 750,
        net: 8250,
        total: 9323,
        taxes: [
          { ...GST, amount: 413 },
          { ...PST, amount: 660 },
        ],
      },
      { discountShare: 250, net: 2750, total: 2888, taxes: [{ ...GST, amount: 138 }] },
      { discountShare: 0, net: -2000, total: -2000, taxes: [] },
    ],
    subtotal: 11_000,
    discountTotal: 2000,
    tax: 1211,
    total: 10_211,
  });
});

test('a price of -0 is one of 0', () => {
  const totals = priceInvoice(invoice({ lines: [{ quantity: 1, unitPrice: -0, taxes: [VAT] }], taxInclusive: true }));
  expect(totals.lines).toEqual([{ discountShare: 0, net: 0, total: 0, taxes: [{ ...VAT, amount: 0 }] }]);
});

const refusal = (terms: Partial<InvoiceTerms>): unknown => {
  try {
    return priceInvoice(invoice(terms));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [error.code, ...error.faults.map(({ pointer }) => pointer)];
  }
};

describe('what cannot be is refused, all of it at once', () => {
  const line = (unitPrice: number, discount = 0, quantity = 1) => ({ quantity, unitPrice, discount, taxes: [] });
  test.each<[string, Partial<InvoiceTerms>, string[]]>([
    ['a discount above its line', { lines: [line(100, 101)] }, ['invalid_body', '/lines/0/discount']],
    ['a discount on a return', { lines: [line(500), line(-100, 1)] }, ['invalid_body', '/lines/1/discount']],
    ['a discount above the lines', { lines: [line(100, 50)], discount: 51 }, ['invalid_body', '/discount']],
    [
      'lines beyond every amount',
      { lines: [line(MAX_AMOUNT, 0, 2), line(-MAX_AMOUNT, 0, 2)] },
      ['invalid_body', '/lines/0/unitPrice', '/lines/1/unitPrice'],
    ],
    ['a sum beyond every amount', { lines: [line(MAX_AMOUNT), line(1)] }, ['invalid_body', '/lines']],
    ['less than nothing', { lines: [line(100), line(-101)] }, ['negative_total']],
  ])('%s', (_, terms, answer) => {
    expect(refusal(terms)).toEqual(answer);
  });
});
