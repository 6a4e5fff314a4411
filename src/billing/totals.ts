import { MAX_AMOUNT } from '../core/currency.ts';
import { AppError, type Fault } from '../core/errors.ts';
import { scaled, spread, WHOLE } from './money.ts';

/**
 * What an invoice comes to. Twin of app.price_invoice (migrations/0051_billing_rules.sql), which decides what is stored: there it costs
 * no trip to know the lines of a draft. This one tells callers all faults at once, and checks the books from outside.
 */

export type TaxRate = { name: string; rateBasisPoints: number };
export type Tax = TaxRate & { amount: number };

/** A line as it was entered. A unit price below zero takes back or redeems; a discount is off the whole line. */
export type LineTerms = { quantity: number; unitPrice: number; discount?: number; taxes: readonly TaxRate[] };
export type InvoiceTerms = {
  lines: readonly LineTerms[];
  /** Off the whole, before tax. */
  discount: number;
  /** Whether unit prices contain their taxes. */
  taxInclusive: boolean;
};

type LineTotals = {
  /** The line's part of the invoice's discount. */
  discountShare: number;
  /** What it brings without taxes, and with them. */
  net: number;
  total: number;
  taxes: Tax[];
};
export type InvoiceTotals = {
  lines: LineTotals[];
  /** All lines before any discount. */
  subtotal: number;
  /** All discounts: those of lines and that of the whole. */
  discountTotal: number;
  tax: number;
  total: number;
};

/**
 * What the lines and the whole come to.
 * @throws AppError invalid_body for discounts and amounts beyond what they are of, then negative_total
 */
export function priceInvoice({ lines, discount, taxInclusive }: InvoiceTerms): InvoiceTotals {
  const faults = faultsOf(lines, discount);
  if (faults.length > 0) throw new AppError('invalid_body', undefined, { faults });
  const amounts = lines.map(lineAmount);
  // Only what is sold carries the discount of the whole: a return would give some of it back.
  const shares = spread(
    discount,
    amounts.map((amount) => Math.max(amount, 0)),
  );
  const priced = lines.map((line, i) => {
    const discountShare = shares[i] ?? 0;
    const amount = (amounts[i] ?? 0) - discountShare;
    return { discountShare, ...(taxInclusive ? taxWithin(amount, line.taxes) : taxUpon(amount, line.taxes)) };
  });
  const totals = {
    lines: priced,
    subtotal: sumOf(lines, (line) => line.quantity * line.unitPrice),
    discountTotal: discount + sumOf(lines, (line) => line.discount ?? 0),
    tax: sumOf(priced, (line) => line.total - line.net),
    total: sumOf(priced, (line) => line.total),
  };
  if (totals.total < 0) throw new AppError('negative_total', `The total would be ${totals.total} minor units.`);
  return totals;
}

/** Taxes on top of a net amount, each rounded by itself. */
export function taxUpon(net: number, rates: readonly TaxRate[]): Omit<LineTotals, 'discountShare'> {
  const taxes = rates.map((rate) => ({ ...rate, amount: scaled(net, rate.rateBasisPoints, WHOLE) }));
  return { net, total: net + sumOf(taxes, (tax) => tax.amount), taxes };
}

/** Taxes within a gross amount, which stays as it is: the net is rounded, the tax is the rest, split over its rates. */
export function taxWithin(gross: number, rates: readonly TaxRate[]): Omit<LineTotals, 'discountShare'> {
  const net = scaled(gross, WHOLE, WHOLE + sumOf(rates, (rate) => rate.rateBasisPoints));
  const amounts = spread(
    gross - net,
    rates.map((rate) => rate.rateBasisPoints),
  );
  return { net, total: gross, taxes: rates.map((rate, i) => ({ ...rate, amount: amounts[i] ?? 0 })) };
}

// JSON has a -0, which beginning with 0 makes 0.
const lineAmount = (line: LineTerms): number => 0 + line.quantity * line.unitPrice - (line.discount ?? 0);

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

/** What is wrong with lines and a discount, whatever their taxes. */
export function faultsOf(lines: readonly LineTerms[], discount: number): Fault[] {
  const faults: Fault[] = [];
  const fault = (pointer: string, detail: string): void => void faults.push({ pointer, code: 'out_of_range', detail });
  lines.forEach((line, i) => {
    const amount = line.quantity * line.unitPrice;
    if (Math.abs(amount) > MAX_AMOUNT) fault(`/lines/${i}/unitPrice`, `A line comes to at most ${MAX_AMOUNT}.`);
    else if ((line.discount ?? 0) > Math.max(amount, 0))
      fault(`/lines/${i}/discount`, 'A discount is at most what the line comes to.');
  });
  const sum = sumOf(lines, lineAmount);
  if (faults.length === 0 && Math.abs(sum) > MAX_AMOUNT) fault('/lines', `An invoice comes to at most ${MAX_AMOUNT}.`);
  else if (faults.length === 0 && discount > Math.max(sum, 0))
    fault('/discount', 'A discount is at most what the lines come to.');
  return faults;
}
