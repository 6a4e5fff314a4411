import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { scaled, spread } from '../../../src/billing/money.ts';
import { type InvoiceTerms, type InvoiceTotals, priceInvoice, taxWithin } from '../../../src/billing/totals.ts';
import { exponentOf } from '../../../src/core/currency.ts';
import { AppError } from '../../../src/core/errors.ts';
import { anyTerms } from './invoice-terms.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Taxes rounded by themselves may leave less than nothing of next to nothing; that is refused, and not looked at here. */
function priced(terms: InvoiceTerms): InvoiceTotals {
  try {
    return priceInvoice(terms);
  } catch (error) {
    fc.pre(!(error instanceof AppError && error.code === 'negative_total'));
    throw error;
  }
}

test('totals are the sums of the rounded lines, with taxes in the price and without', () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const { lines, subtotal, discountTotal, tax, total } = priced(terms);
      expect(total).toBe(sum(lines.map((line) => line.total)));
      expect(tax).toBe(sum(lines.flatMap((line) => line.taxes.map(({ amount }) => amount))));
      expect(total).toBe(subtotal - discountTotal + (terms.taxInclusive ? 0 : tax));
      lines.forEach((line, i) => {
        const { quantity, unitPrice, discount = 0 } = terms.lines[i] ?? { quantity: 0, unitPrice: 0 };
        const amount = quantity * unitPrice - discount - line.discountShare;
        expect(terms.taxInclusive ? line.total : line.net).toBe(amount);
        expect(line.total - line.net).toBe(sum(line.taxes.map(({ amount }) => amount)));
        // A discount never turns a sale into a return.
        if (unitPrice >= 0) expect(amount).toBeGreaterThanOrEqual(0);
        else expect(line.discountShare).toBe(0);
      });
    }),
    { numRuns: 1000 },
  );
});

test('what is taken back is what was sold, to the last unit', () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const back = terms.lines.map((line) => ({ ...line, discount: 0, unitPrice: -line.unitPrice }));
      const forth = terms.lines.map((line) => ({ ...line, discount: 0 }));
      const both = priceInvoice({ ...terms, lines: [...forth, ...back], discount: 0 });
      expect({ total: both.total, tax: both.tax }).toEqual({ total: 0, tax: 0 });
    }),
  );
});

test('a split sums exactly, is within one unit of the proportion, and does not depend on scale', () => {
  const weights = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }), weights, (amount, all) => {
      fc.pre(sum(all) > 0);
      const shares = spread(amount, all);
      expect(sum(shares)).toBe(amount);
      shares.forEach((share, i) => {
        const exact = (amount / sum(all)) * (all[i] ?? 0);
        expect(Math.abs(share - exact)).toBeLessThanOrEqual(1 + Math.abs(exact) * 1e-12);
      });
      expect(spread(-amount, all)).toEqual(shares.map((share) => 0 - share));
      expect(
        spread(
          amount,
          all.map((weight) => weight * 3),
        ),
      ).toEqual(shares);
    }),
    { numRuns: 1000 },
  );
});

const rateSets = [[1900], [700], [2000], [500, 800], [250, 333, 1], [0]];
// A million splits and more: a second alone, several on a busy machine.
const EVERY = 60_000;
test.each(['EUR', 'JPY', 'KWD'])(
  'every gross price to 10,000.00 in %s is kept to the last unit',
  { timeout: EVERY },
  (currency) => {
    const most = 10_000 * 10 ** exponentOf(currency);
    // Each of the million prices in cents with one rate, in the short run every seventh; other currencies and rates at a stride.
    const checks = rateSets.flatMap((rates, n) => {
      const stride = n === 0 && most === 1_000_000 ? (inject('thorough') ? 1 : 7) : most / 10_000;
      return [{ rates: rates.map((rateBasisPoints) => ({ name: 'T', rateBasisPoints })), stride }];
    });
    let wrong = 0;
    for (const { rates, stride } of checks) {
      const whole = 10_000 + sum(rates.map(({ rateBasisPoints }) => rateBasisPoints));
      for (let gross = 1; gross <= most; gross += stride) {
        const { net, total, taxes } = taxWithin(gross, rates);
        const kept = total === gross && net + sum(taxes.map(({ amount }) => amount)) === gross;
        if (!kept || 2 * Math.abs(net * whole - gross * 10_000) > whole) wrong++;
      }
    }
    expect(wrong).toBe(0);
  },
);

test('rounding agrees with arithmetic in halves', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.nat(20_000),
      fc.integer({ min: 1, max: 20_000 }),
      (a, n, d) => {
        const exact = (a * n) / d;
        const rounded = Math.sign(exact) * Math.floor(Math.abs(exact) + 0.5) + 0;
        expect(scaled(a, n, d)).toBe(rounded);
      },
    ),
  );
});
