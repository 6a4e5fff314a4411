import { type Ask, accepted } from '../api.ts';
import type { Figures } from './figures.ts';
import { booksIn, type Invoice, lineRows, type Payment, paymentRow, receiptRow } from './stored/books.ts';
import { type Appointment, appointmentRow, visitsIn } from './stored/visits.ts';

// What a company has, read from the public API alone, in the words of `expected.ts`.

type Named = { id: string; externalId: string };
type Service = Named & {
  name: string;
  category: string;
  durationMinutes: number;
  isActive: boolean;
  price: { amount: number } | null;
  taxes: { name: string; rateBasisPoints: number }[];
};
type Client = Named & { stats: { visits: number; noShows: number; spent: { amount: number } } };

const EVERY_STATUS = 'PENDING,CONFIRMED,CHECKED_IN,IN_PROGRESS,COMPLETED,CANCELLED,NO_SHOW';

async function exported<T>(ask: Ask, path: string): Promise<T[]> {
  const { text } = accepted(await ask('GET', path), path);
  const lines = text.split('\n').filter((line) => line !== '');
  const rows = lines.map((line) => JSON.parse(line) as T & { _end?: boolean });
  if (rows.pop()?._end !== true) throw new Error(`${path}: the export has no end`);
  return rows;
}

async function listed<T>(ask: Ask, path: string): Promise<T[]> {
  const rows: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { json } = accepted(await ask('GET', `${path}&limit=100${cursor && `&cursor=${cursor}`}`), path);
    rows.push(...(json.data as T[]));
    cursor = (json.pagination as { nextCursor: string | null }).nextCursor;
  }
  return rows;
}

/** Ids as the files' codes; nobody is ''. */
const codesOf = (named: readonly Named[]): ((id: string | null) => string) => {
  const codes = new Map(named.map(({ id, externalId }) => [id, externalId]));
  return (id) => (id === null ? '' : (codes.get(id) ?? id));
};

/** What the company of this caller has. */
export async function storedOf(ask: Ask): Promise<Figures> {
  const services = [
    ...(await exported<Service>(ask, '/services/export')),
    ...(await exported<Service>(ask, '/services/export?isActive=false')),
  ];
  const staff = await exported<Named>(ask, '/staff/export');
  const clients = await listed<Client>(ask, '/clients?include=stats');
  const appointments = await exported<Appointment>(ask, `/appointments/export?status=${EVERY_STATUS}`);
  const invoices = await exported<Invoice>(ask, '/invoices/export');
  const payments = await exported<Payment>(ask, '/payments/export');

  const codes = { service: codesOf(services), staff: codesOf(staff), client: codesOf(clients) };
  const starts = new Map(appointments.map(({ id, localStart }) => [id, localStart]));
  const numberOf = new Map(invoices.map(({ id, number }) => [id, number]));
  return {
    numbers: new Map([
      ['services', services.length],
      ['staff', staff.length],
      ['clients', clients.length],
      ...visitsIn(appointments, codes.staff),
      ...booksIn(invoices, payments, codes.staff),
    ]),
    rows: new Map([
      ['services, row by row', services.map(serviceRow)],
      ['staff, row by row', staff.map(({ externalId }) => externalId)],
      ['clients, row by row', clients.map(clientRow)],
      ['appointments, row by row', appointments.map((each) => appointmentRow(each, codes))],
      ['receipts, row by row', invoices.map((each) => receiptRow(each, codes.client))],
      ['lines of receipts, row by row', invoices.flatMap((each) => lineRows(each, codes.staff, starts))],
      ['payments, row by row', payments.map((each) => paymentRow(each, numberOf))],
    ]),
  };
}

const serviceRow = ({ externalId, name, category, durationMinutes, isActive, price, taxes }: Service): string =>
  [
    ...[externalId, name, category, durationMinutes, isActive, price?.amount ?? 'told on the day'],
    taxes.map((tax) => `${tax.name} ${tax.rateBasisPoints}`).join(', '),
  ].join(' | ');

const clientRow = ({ externalId, stats }: Client): string =>
  [externalId, stats.visits, stats.noShows, stats.spent.amount].join(' | ');
