import { type Ask, accepted } from '../api.ts';
import { type Figures, MONEY } from './figures.ts';

// What a company has, read from the public API alone, in the words of `expected.ts`.

type Named = { id: string; externalId: string };
type Money = { amount: number };
type Service = Named & {
  name: string;
  category: string;
  durationMinutes: number;
  isActive: boolean;
  price: Money | null;
  taxes: { name: string; rateBasisPoints: number }[];
};
type Client = Named & { stats: { visits: number; noShows: number; spent: Money } };
type Appointment = {
  clientId: string | null;
  services: { serviceId: string; staffId: string; durationMinutes: number }[];
  localStart: string;
  status: string;
  allowOverlap: boolean;
};
type Line = {
  kind: string;
  description: string;
  quantity: number;
  staffId: string;
  net: Money;
  taxes: { name: string; amount: number }[];
};
type Invoice = { id: string; number: string; issueDate: string; clientId: string | null; lines: Line[] } & Record<
  'total' | 'paid' | 'balance',
  Money
>;
type Payment = { invoiceId: string; businessDate: string; amount: Money };

const STATUSES = ['COMPLETED', 'NO_SHOW', 'CANCELLED'] as const;
const OTHERS = ['PENDING', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS'];

async function exported<T>(ask: Ask, path: string): Promise<T[]> {
  const { text } = accepted(await ask('GET', path), path);
  const rows = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T & { _end?: boolean });
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

const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((total, each) => total + of(each), 0);
const taxOf = ({ taxes }: Line, wanted: string): number =>
  sum(
    taxes.filter(({ name }) => name === wanted),
    ({ amount }) => amount,
  );
const distinct = (values: readonly string[]): string[] => [...new Set(values)].sort();

/** What the company of this caller has. */
export async function storedOf(ask: Ask): Promise<Figures> {
  const [services, staff, clients, appointments, invoices, payments] = [
    [
      ...(await exported<Service>(ask, '/services/export')),
      ...(await exported<Service>(ask, '/services/export?isActive=false')),
    ],
    await exported<Named>(ask, '/staff/export'),
    await listed<Client>(ask, '/clients?include=stats'),
    await exported<Appointment>(ask, `/appointments/export?status=${[...STATUSES, ...OTHERS].join()}`),
    await exported<Invoice>(ask, '/invoices/export'),
    await exported<Payment>(ask, '/payments/export'),
  ];
  const [service, person, client] = [codesOf(services), codesOf(staff), codesOf(clients)];
  const staffOf = ({ services: [first] }: Appointment): string => person(first?.staffId ?? null);
  const numbers = new Map<string, number>([
    ['services', services.length],
    ['staff', staff.length],
    ['clients', clients.length],
    ['bookings', appointments.filter(({ status }) => status !== 'CANCELLED').length],
    ['appointments', appointments.length],
  ]);
  for (const status of STATUSES)
    numbers.set(`  ${status}`, appointments.filter((each) => each.status === status).length);
  numbers.set('  of nobody in particular', appointments.filter(({ clientId }) => clientId === null).length);
  for (const name of distinct(appointments.map(staffOf)))
    for (const status of STATUSES)
      numbers.set(
        `  ${name} ${status}`,
        appointments.filter((each) => staffOf(each) === name && each.status === status).length,
      );
  for (const month of distinct(appointments.map(({ localStart }) => localStart.slice(0, 7))))
    numbers.set(`  in ${month}`, appointments.filter(({ localStart }) => localStart.startsWith(month)).length);
  numbers.set('overlapping on purpose', appointments.filter(({ allowOverlap }) => allowOverlap).length);

  const lines = invoices.flatMap((invoice) => invoice.lines);
  numbers.set('receipts', invoices.length);
  numbers.set('  lines', lines.length);
  numbers.set('  lines below zero', lines.filter(({ net }) => net.amount < 0).length);
  for (const kind of ['SERVICE', 'PRODUCT', 'OTHER'])
    numbers.set(`  lines ${kind}`, lines.filter((line) => line.kind === kind).length);
  numbers.set('payments', payments.length);
  numbers.set(
    `${MONEY}revenue`,
    sum(lines, ({ net }) => net.amount),
  );
  for (const name of ['GST', 'PST'])
    numbers.set(
      `${MONEY}${name}`,
      sum(lines, (line) => taxOf(line, name)),
    );
  numbers.set(
    `${MONEY}total`,
    sum(invoices, ({ total }) => total.amount),
  );
  numbers.set(
    `${MONEY}paid`,
    sum(payments, ({ amount }) => amount.amount),
  );
  numbers.set(
    `${MONEY}still to be paid`,
    sum(invoices, ({ balance }) => balance.amount),
  );
  for (const name of distinct(lines.map(({ staffId }) => person(staffId))))
    numbers.set(
      `${MONEY}revenue of ${name}`,
      sum(
        lines.filter(({ staffId }) => person(staffId) === name),
        ({ net }) => net.amount,
      ),
    );

  const numberOf = new Map(invoices.map(({ id, number }) => [id, number]));
  return {
    numbers,
    rows: new Map([
      ['services, row by row', services.map(serviceRow)],
      ['staff, row by row', staff.map(({ externalId }) => externalId)],
      [
        'clients, row by row',
        clients.map(({ externalId, stats }) =>
          [externalId, stats.visits, stats.noShows, stats.spent.amount].join(' | '),
        ),
      ],
      [
        'appointments, row by row',
        appointments.map((each) => {
          const [part] = each.services;
          const what = [client(each.clientId), staffOf(each), service(part?.serviceId ?? null), each.localStart];
          return [...what, part?.durationMinutes, each.status, each.allowOverlap ? 'overlaps' : ''].join(' | ');
        }),
      ],
      ['receipts, row by row', invoices.map((invoice) => receiptRow(invoice, client(invoice.clientId)))],
      [
        'lines of receipts, row by row',
        invoices.flatMap(({ number, lines: own }) => own.map((line) => lineRow(number, person(line.staffId), line))),
      ],
      [
        'payments, row by row',
        payments.map(({ invoiceId, businessDate, amount }) =>
          [numberOf.get(invoiceId), businessDate, amount.amount].join(' | '),
        ),
      ],
    ]),
  };
}

const serviceRow = ({ externalId, name, category, durationMinutes, isActive, price, taxes }: Service): string =>
  [
    ...[externalId, name, category, durationMinutes, isActive, price?.amount ?? 'told on the day'],
    taxes.map((tax) => `${tax.name} ${tax.rateBasisPoints}`).join(', '),
  ].join(' | ');

function receiptRow({ number, issueDate, lines, total, paid }: Invoice, client: string): string {
  const taxes = ['GST', 'PST'].map((name) => sum(lines, (line) => taxOf(line, name)));
  return [
    number,
    issueDate,
    client,
    sum(lines, ({ net }) => net.amount),
    ...taxes,
    total.amount,
    `paid ${paid.amount}`,
  ].join(' | ');
}

const lineRow = (number: string, staff: string, line: Line): string =>
  [
    ...[
      number,
      staff,
      line.kind,
      line.description,
      line.quantity,
      line.net.amount,
      taxOf(line, 'GST'),
      taxOf(line, 'PST'),
    ],
  ].join(' | ');
