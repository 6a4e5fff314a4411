import { type Event, presentOf, type Verdict } from './log.ts';

// Written from the contract alone, in exact integers: the books are added up again, not read off.

type Money = { amount: number; currency: string };
type Line = {
  quantity: number;
  unitPrice: Money;
  discount: Money;
  taxes: { rateBasisPoints: number; amount: Money }[];
  net: Money;
  total: Money;
};
type Invoice = {
  id: string;
  branchId: string;
  series: string;
  number: string | null;
  status: string;
  taxInclusive: boolean;
  lines: Line[];
  discount: Money;
  subtotal: Money;
  discountTotal: Money;
  tax: Money;
  total: Money;
  paid: Money;
  refunded: Money;
  balance: Money;
};
type Payment = { id: string; invoiceId: string | null; amount: Money; refunded: Money; status: string };
type Refund = { id: string; paymentId: string; amount: Money; status: string };

/** Numbers that are given by the company itself; those of another system keep theirs. */
const GIVEN_ELSEWHERE = 'IMPORTED';

/** Half away from zero. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const [n, sign] = numerator < 0n ? [-numerator, -1n] : [numerator, 1n];
  return sign * ((2n * n + denominator) / (2n * denominator));
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/** What is wrong with the sums of an invoice; null when nothing is. */
function wrongSum(invoice: Invoice): string | null {
  for (const [i, line] of invoice.lines.entries()) {
    const sold = line.quantity * line.unitPrice.amount - line.discount.amount;
    const base = invoice.taxInclusive ? line.total.amount : line.net.amount;
    // What is off the whole lies on the lines that sell, wherever it was rounded.
    if (invoice.discount.amount === 0 ? base !== sold : sold > 0 ? base > sold || base < 0 : base !== sold)
      return `line ${i}: ${line.quantity} × ${line.unitPrice.amount} - ${line.discount.amount} is not ${base}`;
    const rates = line.taxes.map(({ rateBasisPoints }) => BigInt(rateBasisPoints));
    const taxes = sum(line.taxes.map(({ amount }) => amount.amount));
    if (line.total.amount !== line.net.amount + taxes)
      return `line ${i}: ${line.net.amount} + ${taxes} ≠ ${line.total.amount}`;
    if (invoice.taxInclusive) {
      const net = rounded(BigInt(line.total.amount) * 10_000n, 10_000n + rates.reduce((all, rate) => all + rate, 0n));
      if (BigInt(line.net.amount) !== net)
        return `line ${i}: the net of ${line.total.amount} is ${net}, not ${line.net.amount}`;
    } else {
      const due = rates.map((rate) => rounded(BigInt(line.net.amount) * rate, 10_000n));
      if (line.taxes.some(({ amount }, t) => BigInt(amount.amount) !== due[t]))
        return `line ${i}: taxes are ${due.join(', ')}`;
    }
  }
  const { lines, subtotal, discountTotal, tax, total } = invoice;
  const gross = sum(lines.map(({ quantity, unitPrice }) => quantity * unitPrice.amount));
  const off = sum(lines.map(({ discount }) => discount.amount)) + invoice.discount.amount;
  if (subtotal.amount !== gross) return `the subtotal is ${gross}, not ${subtotal.amount}`;
  if (discountTotal.amount !== off) return `the discounts are ${off}, not ${discountTotal.amount}`;
  if (tax.amount !== sum(lines.flatMap((line) => line.taxes.map(({ amount }) => amount.amount))))
    return 'the tax is not its sum';
  if (total.amount !== sum(lines.map((line) => line.total.amount))) return 'the total is not its sum';
  return null;
}

/** Lines, taxes and totals, added up again. */
export function rightSums(events: readonly Event[]): Verdict {
  const invoices = presentOf<Invoice>(events, 'invoice');
  const breaches = invoices.flatMap((invoice) => {
    const wrong = wrongSum(invoice);
    return wrong === null ? [] : [`${invoice.id}: ${wrong}`];
  });
  return { law: 'every total is the sum of its rounded lines', looked: `${invoices.length} invoices`, breaches };
}

/** What was paid and refunded, added up again from payments and refunds. */
export function rightBalances(events: readonly Event[]): Verdict {
  const succeeded = ({ status }: { status: string }): boolean => status === 'SUCCEEDED';
  const invoices = presentOf<Invoice>(events, 'invoice');
  const payments = presentOf<Payment>(events, 'payment').filter(succeeded);
  const refunds = presentOf<Refund>(events, 'refund').filter(succeeded);
  const paymentsOf = Map.groupBy(payments, ({ invoiceId }) => invoiceId);
  const refundsOf = Map.groupBy(refunds, ({ paymentId }) => paymentId);
  const wentBack = ({ id }: Payment): number => sum((refundsOf.get(id) ?? []).map(({ amount }) => amount.amount));
  const breaches = [
    ...invoices.flatMap((invoice) => {
      const own = paymentsOf.get(invoice.id) ?? [];
      const [came, went] = [sum(own.map(({ amount }) => amount.amount)), sum(own.map(wentBack))];
      return wrongBalance(invoice, came, went).map((what) => `${invoice.id}: ${what}`);
    }),
    ...payments.flatMap((payment) => {
      const [went, { id, refunded, amount }] = [wentBack(payment), payment];
      if (refunded.amount === went && went <= amount.amount) return [];
      return [`${id}: refunded ${refunded.amount} of ${amount.amount}, refunds come to ${went}`];
    }),
  ];
  const looked = `${invoices.length} invoices, ${payments.length} payments, ${refunds.length} refunds`;
  return { law: 'every balance is right to the last unit', looked, breaches };
}

/** What is wrong with an invoice for which so much came and of which so much went back. */
function wrongBalance({ total, paid, refunded, balance, status }: Invoice, came: number, went: number): string[] {
  const wrong: string[] = [];
  const due = total.amount - came + went;
  if (paid.amount !== came) wrong.push(`paid ${paid.amount}, payments come to ${came}`);
  if (refunded.amount !== went) wrong.push(`refunded ${refunded.amount}, refunds come to ${went}`);
  if (due < 0 || went > came) wrong.push('more was paid or refunded than there was');
  // A refund is money back: what was paid is not due again.
  const left = status === 'PAID' || status === 'VOID' ? 0 : due;
  if (balance.amount !== left) wrong.push(`the balance is ${left}, not ${balance.amount}`);
  if (status === 'VOID' && came !== went) wrong.push('void, with money in');
  if (status === 'DRAFT' && came !== 0) wrong.push('a draft, with money in');
  if (status === 'OPEN' && due === 0) wrong.push('open, with nothing left to pay');
  if (status === 'PAID' && came < total.amount) wrong.push(`called paid, with ${due} left to pay`);
  return wrong;
}

/** Numbers run 1, 2, 3 … within a branch and series. Those that a file brought were given elsewhere, and may have gaps. */
export function gaplessNumbers(events: readonly Event[]): Verdict {
  const numbers = new Map<string, number[]>();
  let elsewhere = 0;
  for (const { branchId, series, number } of presentOf<Invoice>(events, 'invoice')) {
    if (number === null) continue;
    if (series === GIVEN_ELSEWHERE) {
      elsewhere += 1;
      continue;
    }
    const key = `${branchId} ${series}`;
    numbers.set(key, [...(numbers.get(key) ?? []), Number(number)]);
  }
  const breaches: string[] = [];
  for (const [key, given] of numbers) {
    given.sort((a, b) => a - b);
    const wrong = given.findIndex((number, i) => number !== i + 1);
    if (wrong >= 0) breaches.push(`${key}: ${given[wrong]} stands where ${wrong + 1} should`);
  }
  const count = [...numbers.values()].flat().length;
  return {
    law: 'invoice numbers have no gap',
    looked: `${count} numbers${elsewhere > 0 ? ` (and ${elsewhere} of files, which may)` : ''}`,
    breaches,
  };
}
