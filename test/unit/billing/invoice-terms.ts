import fc from 'fast-check';
import type { InvoiceTerms, LineTerms, TaxRate } from '../../../src/billing/totals.ts';

/** Amounts as they occur in currencies of every exponent: 12 (JPY), 12.34, 12.345 (KWD), and large ones. */
const price = fc.oneof(fc.nat(500), fc.nat(100_000), fc.nat(10_000_000), fc.nat(1_000_000_000));

const taxes: fc.Arbitrary<TaxRate[]> = fc.array(
  fc.record({
    name: fc.constantFrom('GST', 'PST', 'VAT'),
    rateBasisPoints: fc.oneof(fc.constantFrom(0, 500, 700, 800, 1900, 2000), fc.nat(10_000)),
  }),
  { maxLength: 4 },
);

const sale: fc.Arbitrary<LineTerms> = fc
  .tuple(fc.integer({ min: 1, max: 20 }), price, taxes, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean())
  .map(([quantity, unitPrice, rates, part, reduced]) => ({
    quantity,
    unitPrice,
    taxes: rates,
    ...(reduced ? { discount: Math.floor(quantity * unitPrice * part) } : {}),
  }));

/** Sales, some with a return of what another line sells: in all they come to zero or more, but for what rounding of taxes does. */
export const anyTerms: fc.Arbitrary<InvoiceTerms> = fc
  .tuple(
    fc.array(sale, { minLength: 1, maxLength: 8 }),
    fc.array(fc.nat(7), { maxLength: 3 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([sales, returned, part, reduced, taxInclusive]) => {
    const lines = [...sales];
    for (const index of new Set(returned)) {
      const line = sales[index];
      if (line !== undefined)
        lines.push({ quantity: 1, unitPrice: 0 - line.unitPrice, taxes: line.taxes }, { ...line, discount: 0 });
    }
    const sum = lines.reduce((total, line) => total + line.quantity * line.unitPrice - (line.discount ?? 0), 0);
    return { lines, discount: reduced ? Math.floor(Math.max(sum, 0) * part) : 0, taxInclusive };
  });
