import { MONEY } from '../figures.ts';
import { cents, dayOf, type Row } from './files.ts';
import { distinct, type Tally } from './tally.ts';
import type { Visit } from './visits.ts';

type Line = {
  staff: string;
  kind: string;
  description: string;
  pieces: number;
  net: number;
  gst: number;
  pst: number;
  /** When the booking began that it is for; '' where it is for none. */
  start: string;
};

/** What the books must hold. */
export type Receipt = {
  number: string;
  day: string;
  client: string;
  lines: Line[];
  net: number;
  gst: number;
  pst: number;
  total: number;
};

/** @param listed services by what they are called */
export function booksOf(
  receipts: readonly Row[],
  listed: ReadonlyMap<string, string>,
  visits: readonly Visit[],
): Receipt[] {
  const key = (...what: (string | undefined)[]): string => what.join('|');
  const came = new Map(
    visits
      .filter(({ status }) => status === 'COMPLETED')
      .map(({ client, staff, service, day, time }) => [key(client, staff, service, day), `${day}T${time}`]),
  );
  const startOf = (row: Row): string => {
    const what = key(row('Client'), row('Staff'), listed.get(row('Description')), dayOf(row('Date')));
    const start = came.get(what) ?? '';
    came.delete(what);
    return start;
  };
  const books = new Map<string, Receipt>();
  for (const row of receipts) {
    const [number, description] = [row('Receipt'), row('Description')];
    const known = books.get(number);
    const receipt = known ?? {
      ...{ number, day: dayOf(row('Date')), client: row('Client') },
      ...{ lines: [], net: 0, gst: 0, pst: 0, total: 0 },
    };
    if (receipt.day !== dayOf(row('Date'))) throw new Error(`receipt ${number} is of two days`);
    const [net, gst, pst] = [cents(row('Amount')), cents(row('GST')), cents(row('PST'))];
    receipt.lines.push({
      ...{ staff: row('Staff'), kind: description === '' ? 'OTHER' : listed.has(description) ? 'SERVICE' : 'PRODUCT' },
      ...{ description: description === '' ? 'Without description' : description },
      ...{ pieces: Math.abs(Number(row('Quantity'))), net, gst, pst, start: startOf(row) },
    });
    receipt.net += net;
    receipt.gst += gst;
    receipt.pst += pst;
    receipt.total += net + gst + pst;
    books.set(number, receipt);
  }
  return [...books.values()];
}

export const receiptRow = ({ number, day, client, net, gst, pst, total }: Receipt): string =>
  [number, day, client, net, gst, pst, total, `paid ${total}`].join(' | ');

export const lineRows = ({ number, lines }: Receipt): string[] =>
  lines.map(({ staff, kind, description, pieces, net, gst, pst, start }) =>
    [number, staff, kind, description, pieces, net, gst, pst, start].join(' | '),
  );

/** A receipt over nothing is not paid. */
export const paymentsOf = (books: readonly Receipt[]): string[] =>
  books.filter(({ total }) => total !== 0).map(({ number, day, total }) => [number, day, total].join(' | '));

export function tallyBooks(tally: Tally, books: readonly Receipt[]): void {
  const lines = books.flatMap((receipt) => receipt.lines);
  tally.add('receipts', books.length);
  tally.add('  lines', lines.length);
  tally.add('  lines below zero', lines.filter(({ net }) => net < 0).length);
  for (const wanted of ['SERVICE', 'PRODUCT', 'OTHER'])
    tally.add(`  lines ${wanted}`, lines.filter(({ kind }) => kind === wanted).length);
  tally.add('  lines of a booking', lines.filter(({ start }) => start !== '').length);
  tally.add('payments', paymentsOf(books).length);
  for (const name of ['revenue', 'GST', 'PST', 'total', 'paid', 'still to be paid']) tally.add(`${MONEY}${name}`, 0);
  for (const { net, gst, pst, total } of books) {
    tally.add(`${MONEY}revenue`, net);
    tally.add(`${MONEY}GST`, gst);
    tally.add(`${MONEY}PST`, pst);
    tally.add(`${MONEY}total`, total);
    tally.add(`${MONEY}paid`, total);
  }
  for (const name of distinct(lines.map(({ staff }) => staff)))
    for (const { staff, net } of lines) if (staff === name) tally.add(`${MONEY}revenue of ${name}`, net);
}
