import { MONEY } from '../figures.ts';
import { type CodeOf, distinct } from './visits.ts';

type Money = { amount: number };
type Line = {
  kind: string;
  description: string;
  quantity: number;
  staffId: string;
  appointmentId: string | null;
  net: Money;
  taxes: { name: string; amount: Money }[];
};
export type Invoice = {
  id: string;
  number: string;
  issueDate: string;
  clientId: string | null;
  lines: Line[];
} & Record<'total' | 'paid' | 'balance', Money>;
export type Payment = { invoiceId: string; businessDate: string; amount: Money };

const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((total, each) => total + of(each), 0);
const netOf = ({ net }: Line): number => net.amount;
const taxOf = ({ taxes }: Line, wanted: string): number =>
  sum(
    taxes.filter(({ name }) => name === wanted),
    ({ amount }) => amount.amount,
  );

/** How many, of which kind, how much and whose. */
export function booksIn(
  invoices: readonly Invoice[],
  payments: readonly Payment[],
  codeOf: CodeOf,
): [string, number][] {
  const lines = invoices.flatMap((invoice) => invoice.lines);
  const count = (which: (line: Line) => boolean): number => lines.filter(which).length;
  const by = (member: string): Line[] => lines.filter(({ staffId }) => codeOf(staffId) === member);
  return [
    ['receipts', invoices.length],
    ['  lines', lines.length],
    ['  lines below zero', count(({ net }) => net.amount < 0)],
    ...['SERVICE', 'PRODUCT', 'OTHER'].map((wanted): [string, number] => [
      `  lines ${wanted}`,
      count(({ kind }) => kind === wanted),
    ]),
    ['  lines of a booking', count(({ appointmentId }) => appointmentId !== null)],
    ['payments', payments.length],
    [`${MONEY}revenue`, sum(lines, netOf)],
    ...['GST', 'PST'].map((name): [string, number] => [`${MONEY}${name}`, sum(lines, (line) => taxOf(line, name))]),
    [`${MONEY}total`, sum(invoices, ({ total }) => total.amount)],
    [`${MONEY}paid`, sum(payments, ({ amount }) => amount.amount)],
    [`${MONEY}still to be paid`, sum(invoices, ({ balance }) => balance.amount)],
    ...distinct(lines.map(({ staffId }) => codeOf(staffId))).map((member): [string, number] => [
      `${MONEY}revenue of ${member}`,
      sum(by(member), netOf),
    ]),
  ];
}

export function receiptRow({ number, issueDate, clientId, lines, total, paid }: Invoice, codeOf: CodeOf): string {
  const taxes = ['GST', 'PST'].map((name) => sum(lines, (line) => taxOf(line, name)));
  const what = [number, issueDate, codeOf(clientId), sum(lines, netOf)];
  return [...what, ...taxes, total.amount, `paid ${paid.amount}`].join(' | ');
}

/** @param starts of appointments */
export const lineRows = ({ number, lines }: Invoice, codeOf: CodeOf, starts: ReadonlyMap<string, string>): string[] =>
  lines.map((line) =>
    [
      ...[number, codeOf(line.staffId), line.kind, line.description, line.quantity, netOf(line)],
      ...[taxOf(line, 'GST'), taxOf(line, 'PST'), starts.get(line.appointmentId ?? '') ?? ''],
    ].join(' | '),
  );

export const paymentRow = (
  { invoiceId, businessDate, amount }: Payment,
  numberOf: ReadonlyMap<string, string>,
): string => [numberOf.get(invoiceId), businessDate, amount.amount].join(' | ');
