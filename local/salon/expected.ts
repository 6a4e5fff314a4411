import { booksOf, lineRows, paymentsOf, type Receipt, receiptRow, tallyBooks } from './expected/books.ts';
import { cents, type Row, read } from './expected/files.ts';
import { Tally } from './expected/tally.ts';
import { overlaps, tallyVisits, type Visit, visitRow, visitsOf } from './expected/visits.ts';
import type { Figures } from './figures.ts';

// What must be stored of a salon's exported files, worked out from the files alone: nothing of the product and nothing of what
// loads them is imported here or in `expected/`.
//
// What the files turned out to be, and what was decided:
// - A booking is a row of bookings.csv. Each row of no-shows.csv has exactly one booking with its client, staff, service and
//   day: that booking is the no-show. All others are COMPLETED, those ahead of the last receipt too.
// - A cancellation is a visit of its own, not the fate of a booking. Of 243 only 31 share client, staff, service and day with a
//   booking; of those that are not ahead, all but one client's end with a receipt (booked again, and came). No-shows, in
//   contrast, are all in the book: what is cancelled leaves it. So each row is one CANCELLED appointment, repeated rows too.
//   Its day is told, its hour is not: noon.
// - Hours are local. Bookings tell them twice (text, and minutes after midnight); both agree, and the minutes are read here.
// - A client is a code that any of the four files names, WALK_IN being one: the salon's account of those who have none. One
//   booking and its no-show are of nobody in particular. Codes may hold `*`, `?`, a dot or an underscore.
// - Staff are the codes that serve or sell, HOUSE being one. Who cancelled (ADMIN too) is told in words only.
// - A service costs its price, or is told on the day (0), with both taxes. It lasts 45 minutes (STYLE), 90 (COLOR), 15 (MISC).
//   One has no description: its code is its name.
// - A receipt is all rows of one number, all on one day: an invoice, paid in full on that day, of the client whom its first row
//   names (25 name several). A line is a service where its description is that of one, else a product; three say nothing.
// - A line is for the completed booking of its client, staff, service and day, if there is one that no line before it is for.
// - Amount is without tax and for the whole quantity. GST and PST stand beside it with up to four decimals: what is owed is each
//   rounded to the cent, half away from zero, line by line. One line bears no GST. Redemptions are lines below zero, and so is
//   the one return (quantity -1). No receipt is below zero as a whole; those that come to nothing have no payment.
// - Visits of one stylist overlap now and then. Whichever begins (by start, then by row) before an earlier one has ended
//   that is not marked itself is marked as deliberate. Cancelled ones and no-shows are in nobody's way.

const MINUTES: Readonly<Record<string, number>> = { STYLE: 45, COLOR: 90, MISC: 15 };

/** @returns what must be stored of the files in this folder */
export async function expectedOf(folder: string): Promise<Figures> {
  const [services, bookings, cancellations, noShows, receipts] = [
    ...[
      await read(folder, 'services.csv'),
      await read(folder, 'bookings.csv'),
      await read(folder, 'cancellations.csv'),
    ],
    ...[await read(folder, 'no-shows.csv'), await read(folder, 'receipts.csv')],
  ] as const;
  const minutes = new Map(services.map((row) => [row('Code'), MINUTES[row('Cate')] ?? 0]));
  const visits = visitsOf(bookings, cancellations, noShows, minutes);
  const marked = overlaps(visits);
  const listed = services.filter((row) => row('Desc') !== '').map((row) => [row('Desc'), row('Code')] as const);
  const books = booksOf(receipts, new Map(listed), visits);
  const clients = new Set([...visits.map(({ client }) => client), ...receipts.map((row) => row('Client'))]);
  clients.delete('');
  const staff = new Set([...visits.map((visit) => visit.staff), ...receipts.map((row) => row('Staff'))]);

  const tally = new Tally();
  tally.add('services', services.length);
  tally.add('staff', staff.size);
  tally.add('clients', clients.size);
  tally.add('bookings', bookings.length);
  tallyVisits(tally, visits);
  tally.add('overlapping on purpose', marked.size);
  tallyBooks(tally, books);
  return {
    numbers: tally.numbers,
    rows: new Map([
      ['services, row by row', services.map(serviceRow)],
      ['staff, row by row', [...staff]],
      ['clients, row by row', clientRows(clients, visits, books)],
      ['appointments, row by row', visits.map((visit) => visitRow(visit, marked.has(visit)))],
      ['receipts, row by row', books.map(receiptRow)],
      ['lines of receipts, row by row', books.flatMap(lineRows)],
      ['payments, row by row', paymentsOf(books)],
    ]),
  };
}

const serviceRow = (row: Row): string =>
  [
    ...[row('Code'), row('Desc') || row('Code'), row('Cate'), MINUTES[row('Cate')], row('IsActive') === 'TRUE'],
    ...[row('Price') === '0' ? 'told on the day' : cents(row('Price')), 'GST 500, PST 800'],
  ].join(' | ');

/** How often they came and did not, and what they paid in all. */
function clientRows(clients: ReadonlySet<string>, visits: readonly Visit[], books: readonly Receipt[]): string[] {
  const tally = new Tally();
  for (const { client, status } of visits) tally.add(`${status} ${client}`);
  for (const { client, total } of books) tally.add(`spent ${client}`, total);
  return [...clients].map((code) =>
    [code, ...['COMPLETED', 'NO_SHOW', 'spent'].map((what) => tally.numbers.get(`${what} ${code}`) ?? 0)].join(' | '),
  );
}
